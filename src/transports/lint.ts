import { own } from '../domain/requirement.js';
import { shared } from '../domain/shared.js';

/** A problem of a route or method. */
export interface Finding {
  /** `GET /orgs/:org/models`, or a gRPC method's path. */
  readonly route: string;
  readonly problem: 'requirement_missing' | 'organization_missing';
  /** The remedy, in a sentence. */
  readonly advice: string;
}

/** Each guard with its requirement: a value, or a function of the request. */
const GUARDS = /* @__PURE__ */ shared('guards', () => new WeakMap<object, { readonly requirement: unknown }>());

/** Registers a middleware as a guard. */
export function markGuard(middleware: object, requirement: unknown): void {
  GUARDS.set(middleware, { requirement });
}

export function isGuard(handler: unknown): handler is object {
  return typeof handler === 'function' && GUARDS.has(handler);
}

/** The findings of a route behind these guards. */
export function findingsBehind(route: string, guards: readonly object[]): Finding[] {
  if (guards.length === 0) return findingsOf(route, undefined);
  return guards.flatMap((guard) => findingsOf(route, GUARDS.get(guard)?.requirement));
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
