import { own } from '../domain/requirement.js';

/** Something about a route or method that its author should look at. */
export interface Finding {
  /** `GET /orgs/:org/models`, or a gRPC method's path. */
  readonly route: string;
  readonly problem: 'requirement_missing' | 'organization_missing';
  /** What to do about it. */
  readonly advice: string;
}

/** Names that route parameters have where they hold a tenant. */
const TENANT = /[:{*](?:org|organi[sz]ation|tenant|account|workspace|team|customer|company)(?:_?(?:id|name|slug))?\b/i;

/** What there is to say of a route with this requirement; `undefined`: it has none. */
export function findingsOf(route: string, requirement: unknown): Finding[] {
  if (requirement === undefined || requirement === null) {
    return [
      {
        route,
        problem: 'requirement_missing',
        advice: 'Declare what a call of it needs; { public: true } where it is meant to be open.',
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
        'The route names a tenant and the scope does not: a token of any tenant passes. Name the organization in the requirement, as a function of the request.',
    },
  ];
}
