import type { Decision, Denied } from '../domain/decision.js';
import type { Zone } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import type { RequiredOrganization, Requirement } from '../domain/requirement.js';
import type { ScopeOf, TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import { type Gate, internalsOf } from '../instance/internals.js';
import type { Presented } from './credential.js';
import { oncePerRequest } from './once.js';

/**
 * What a requirement function returns. An endpoint whose name is `undefined` (the route has no such parameter) is an unknown
 * one. An organization that is `undefined` is a fault: left out, it would be the caller's own. Nothing at all declares nothing,
 * and the call is refused.
 */
export type ComputedRequirement<T extends TokenTypes = TokenTypes> =
  | Requirement<T>
  | { readonly endpoint: string | undefined; readonly organization?: RequiredOrganization | undefined }
  | { readonly scope: ScopeOf<T> | readonly ScopeOf<T>[]; readonly organization?: RequiredOrganization | undefined }
  | null
  | undefined;

/** What a route needs: a value, or a function of the request. */
export type RequirementFor<Request, T extends TokenTypes = TokenTypes> =
  | Requirement<T>
  | ((request: Request) => ComputedRequirement<T> | Promise<ComputedRequirement<T>>);

/** Where the caller stands: a value, or a function of the request. */
export type ZoneOf<Request> = Zone | ((request: Request) => Zone);

/** What a transport tells of its requests. */
interface Reading<Request> {
  /** The HTTP method, or the full name of the gRPC method. */
  methodOf(request: Request): string | undefined;
  /** The object that every guard of one request sees, and no other request's. */
  identityOf(request: Request): object;
}

/** Asks about one request. */
export type Ask<Request, T extends TokenTypes = TokenTypes> = (
  request: Request,
  presented: Presented,
) => Decision<T> | Promise<Decision<T>>;

/**
 * Makes the question that a guard asks for each request. A requirement that is a value is checked here, once.
 *
 * The answer comes without a promise where nothing has to be waited for. It is always a decision: what throws on the way
 * is a fault, and a fault is a denial.
 *
 * @throws PosternError `requirement_invalid`, `scope_unknown`; `input_invalid` for what is no instance
 */
export function asker<Request, T extends TokenTypes>(
  postern: Postern<T>,
  requirement: RequirementFor<Request, T>,
  zone: ZoneOf<Request>,
  { methodOf, identityOf }: Reading<Request>,
): Ask<Request, T> {
  const { gate, holding } = internalsOf(postern);
  const askOnce = oncePerRequest(gate, holding);
  const prepared = typeof requirement === 'function' ? requirement : gate.prepare(requirement);
  const constantZone = typeof zone === 'function' ? null : zone;

  const ask: Ask<Request> = (request, presented) => {
    try {
      if (typeof prepared !== 'function') return decide(request, presented, prepared);
      const needed = prepared(request);
      if (!isPromise(needed)) return decide(request, presented, named(needed));
      // Whatever has a `then` may answer with anything: what the guards wait for is a promise of this realm.
      const decision = Promise.resolve(needed).then((each) => decide(request, presented, named(each)));
      return settled(gate, decision);
    } catch (error) {
      return gate.fault(error);
    }
  };

  function decide(
    request: Request,
    { token, malformed, proof }: Presented,
    needed: Requirement | null,
  ): Decision | Promise<Decision> {
    const standing = constantZone ?? (zone as (request: Request) => Zone)(request);
    const attempt = { token, malformed, proof, method: methodOf(request), zone: standing, requirement: needed };
    return askOnce(
      identityOf(request),
      attempt,
      (mode) => gate.tryAuthorize(attempt, mode) ?? settled(gate, gate.authorize(attempt, mode)),
    );
  }

  return ask as Ask<Request, T>;
}

/** Tells the instance, and so its `onEvent`, what went wrong in a guard: that is a denial. */
export function reporter(postern: Postern): (fault: unknown) => Denied {
  const { gate } = internalsOf(postern);
  return (fault) => gate.fault(fault ?? new Error('a guard, or what it called, failed without a reason'));
}

/** A promise of a decision that never rejects: a fault is reported, and is a denial. */
function settled(gate: Gate, decision: Promise<Decision>): Promise<Decision> {
  return decision.catch((fault: unknown) => gate.fault(fault ?? new Error('the requirement failed without a reason')));
}

/**
 * '' is no id: what was read from a route that has no such parameter is an endpoint that nobody registered.
 *
 * @throws PosternError `requirement_invalid` for an organization without a name
 */
function named<T extends TokenTypes>(requirement: ComputedRequirement<T>): Requirement | null {
  if (requirement === undefined || requirement === null) return null;
  if (isNameless(requirement, 'organization')) {
    throw new PosternError('requirement_invalid', 'the function named an organization that is undefined: name one', {
      path: 'organization',
      input: 'requirement',
    });
  }
  return (isNameless(requirement, 'endpoint') ? { ...requirement, endpoint: '' } : requirement) as Requirement;
}

function isNameless(requirement: object, key: string): boolean {
  return Object.hasOwn(requirement, key) && (requirement as Record<string, unknown>)[key] === undefined;
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
