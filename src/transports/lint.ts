import { own } from '../domain/requirement.js';

/** Something about a route or method that its author should look at. */
export interface Finding {
  /** `GET /orgs/:org/models`, or a gRPC method's path. */
  readonly route: string;
  readonly problem: 'requirement_missing' | 'organization_missing';
  /** What to do about it. */
  readonly advice: string;
}

/** Guards, with what they require: a function where that depends on the request. */
const GUARDS = new WeakMap<object, { readonly requirement: unknown }>();

/** Notes that a middleware is a guard. */
export function markGuard(middleware: object, requirement: unknown): void {
  GUARDS.set(middleware, { requirement });
}

export function isGuard(handler: unknown): handler is object {
  return typeof handler === 'function' && GUARDS.has(handler);
}

/** What there is to say of a route with these guards in front of it. */
export function findingsBehind(route: string, guards: readonly object[]): Finding[] {
  if (guards.length === 0) return findingsOf(route, undefined);
  return guards.flatMap((guard) => findingsOf(route, GUARDS.get(guard)?.requirement));
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
