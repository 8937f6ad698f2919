import type { Decision } from '../domain/decision.js';
import type { Zone } from '../domain/endpoint.js';
import type { Requirement } from '../domain/requirement.js';
import type { ScopeOf, TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { type Gate, internalsOf, type Mode } from '../instance/internals.js';
import type { Presented } from './credential.js';

/**
 * What a requirement function returns. An endpoint or an organization whose name is `undefined` (the route has no such
 * parameter) is an unknown one; nothing at all declares nothing, and the call is refused.
 */
export type ComputedRequirement<T extends TokenTypes = TokenTypes> =
  | Requirement<T>
  | { readonly endpoint: string | undefined; readonly organization?: string | undefined }
  | { readonly scope: ScopeOf<T> | readonly ScopeOf<T>[]; readonly organization?: string | undefined }
  | null
  | undefined;

/** What a route needs: a value, or a function of the request. */
export type RequirementFor<Request, T extends TokenTypes = TokenTypes> =
  | Requirement<T>
  | ((request: Request) => ComputedRequirement<T> | Promise<ComputedRequirement<T>>);

/** Where the caller stands: a value, or a function of the request. */
export type ZoneOf<Request> = Zone | ((request: Request) => Zone);

/** Asks about one request. `recheck`: again, while it goes on. */
export type Ask<Request, T extends TokenTypes = TokenTypes> = (
  request: Request,
  presented: Presented,
  mode?: Extract<Mode, 'use' | 'recheck'>,
) => Decision<T> | Promise<Decision<T>>;

/**
 * Makes the question that a guard asks for each request. A requirement that is a value is checked here, once.
 *
 * The answer comes without a promise where nothing has to be waited for. It is always a decision: what throws on the way
 * is a fault, and a fault is a denial.
 *
 * @param methodOf the HTTP method of a request, or the full name of its gRPC method
 * @throws PosternError `requirement_invalid`, `scope_unknown`; `input_invalid` for what is no instance
 */
export function asker<Request, T extends TokenTypes>(
  postern: Postern<T>,
  requirement: RequirementFor<Request, T>,
  zone: ZoneOf<Request> = 'external',
  methodOf?: (request: Request) => string,
): Ask<Request, T> {
  const { gate } = internalsOf(postern);
  const prepared = typeof requirement === 'function' ? requirement : gate.prepare(requirement);
  const constantZone = typeof zone === 'function' ? null : zone;

  const ask: Ask<Request> = (request, presented, mode) => {
    try {
      if (typeof prepared !== 'function') return decide(request, presented, mode, prepared);
      const needed = prepared(request);
      if (!isPromise(needed)) return decide(request, presented, mode, named(needed));
      // Whatever has a `then` may answer with anything: what the guards wait for is a promise of this realm.
      const decision = Promise.resolve(needed).then((each) => decide(request, presented, mode, named(each)));
      return settled(gate, decision);
    } catch (error) {
      return gate.fault(error);
    }
  };

  function decide(
    request: Request,
    { token, malformed, proof }: Presented,
    mode: Mode | undefined,
    needed: Requirement | null,
  ): Decision | Promise<Decision> {
    const standing = constantZone ?? (zone as (request: Request) => Zone)(request);
    const attempt = { token, malformed, proof, method: methodOf?.(request), zone: standing, requirement: needed };
    return gate.tryAuthorize(attempt, mode) ?? settled(gate, gate.authorize(attempt, mode));
  }

  return ask as Ask<Request, T>;
}

/** Tells the instance, and so its `onEvent`, what went wrong in a guard. */
export function reporter(postern: Postern): (fault: unknown) => void {
  const { gate } = internalsOf(postern);
  return (fault) => void gate.fault(fault ?? new Error('onDenied failed'));
}

/** A promise of a decision that never rejects: a fault is reported, and is a denial. */
function settled(gate: Gate, decision: Promise<Decision>): Promise<Decision> {
  return decision.catch((fault: unknown) => gate.fault(fault ?? new Error('the requirement failed without a reason')));
}

/**
 * '' is no id, and the name of no organization: what was read from a route that has no such parameter is something that
 * nobody registered. Left as it is, a missing tenant would be taken for the caller's own.
 */
function named<T extends TokenTypes>(requirement: ComputedRequirement<T>): Requirement | null {
  if (requirement === undefined || requirement === null) return null;
  const { endpoint, organization } = requirement as { endpoint?: unknown; organization?: unknown };
  const nameless = {
    ...(endpoint === undefined && Object.hasOwn(requirement, 'endpoint') && { endpoint: '' }),
    ...(organization === undefined && Object.hasOwn(requirement, 'organization') && { organization: '' }),
  };
  return Object.keys(nameless).length === 0
    ? (requirement as Requirement)
    : ({ ...requirement, ...nameless } as unknown as Requirement);
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
