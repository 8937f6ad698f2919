import { own } from '../domain/requirement.js';

/** A problem of a route or method. */
export interface Finding {
  /** `GET /orgs/:org/models`, or a gRPC method's path. */
  readonly route: string;
  readonly problem: 'requirement_missing' | 'organization_missing';
  /** The remedy, in a sentence. */
  readonly advice: string;
}

/** Usual names of route parameters that hold a tenant. */
const TENANT = /[:{*](?:org|organi[sz]ation|tenant|account|workspace|team|customer|company)(?:_?(?:id|name|slug))?\b/i;

/** The findings of a route. A requirement of `undefined` or `null` means that it has none. */
export function findingsOf(route: string, requirement: unknown): Finding[] {
  if (requirement === undefined || requirement === null) {
    return [
      {
        route,
        problem: 'requirement_missing',
        advice: 'Declare a requirement, or { public: true } if the route is meant to be open.',
      },
    ];
  }
  if (typeof requirement !== 'object' || !Object.hasOwn(requirement, 'scope') || !TENANT.test(route)) return [];
  if ((requirement as { organization?: unknown }).organization !== own && Object.hasOwn(requirement, 'organization'))
    return [];
  return [
    {
      route,
      problem: 'organization_missing',
      advice:
        'The route names a tenant, but the requirement does not: a token of any tenant passes. Name the organization in the requirement, as a function of the request.',
    },
  ];
}
