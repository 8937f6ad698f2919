import type { Decision, DenialReason, Denied } from '../domain/decision.js';
import type { Zone } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import type { RequiredOrganization, Requirement } from '../domain/requirement.js';
import type { ScopeOf, TokenTypes } from '../domain/token-types.js';
import type { Transport } from '../domain/transport.js';
import type { Postern } from '../instance/create-postern.js';
import { type Gate, internalsOf, type Mode } from '../instance/internals.js';
import type { Presented } from './credential.js';
import { oncePerRequest } from './once.js';
import { PASSAGES } from './passages.js';

/**
 * The result of a requirement function. An endpoint named `undefined` (the route has no such parameter) counts as unknown.
 * An organization of `undefined` is a fault, because without one the requirement would mean the caller's own. `null` and
 * `undefined` declare nothing: the call is refused.
 */
export type ComputedRequirement<T extends TokenTypes = TokenTypes> =
  | Requirement<T>
  | { readonly endpoint: string | undefined; readonly organization?: RequiredOrganization | undefined }
  | { readonly scope: ScopeOf<T> | readonly ScopeOf<T>[]; readonly organization?: RequiredOrganization | undefined }
  | null
  | undefined;

/** The requirement of a route: a value, or a function of the request. */
export type RequirementFor<Request, T extends TokenTypes = TokenTypes> =
  | Requirement<T>
  | ((request: Request) => ComputedRequirement<T> | Promise<ComputedRequirement<T>>);

/** The caller's zone: a value, or a function of the request. */
export type ZoneOf<Request> = Zone | ((request: Request) => Zone);

/** How a transport reads its requests. */
export interface Reading<Request> {
  readonly transport: Transport;
  /** The HTTP method, or the full name of the gRPC method. */
  methodOf(request: Request): string | undefined;
  /**
   * The object that all guards of one request share, and that no other request has. Left out: nobody else asks about the request,
   * and it has no lease.
   */
  identityOf?(request: Request): object;
  /** Whether that object may be a request of Express, on which a new field is slow. */
  readonly onExpress?: boolean;
  /** The mode of a first decision. Default `'use'`. */
  readonly mode?: 'use' | 'again';
}

/** Asks for the decision on one request. */
export type Ask<Request, T extends TokenTypes = TokenTypes> = (
  request: Request,
  presented: Presented,
) => Decision<T> | Promise<Decision<T>>;

/**
 * Makes the function with which a guard asks about each request. A requirement that is a value is checked here, once.
 *
 * The function returns a promise only if it has to wait. It never throws: an error on the way is a fault, and a fault is a
 * denial.
 *
 * @throws PosternError `requirement_invalid`, `scope_unknown`; `input_invalid` if `postern` is no instance
 */
export function asker<Request, T extends TokenTypes>(
  postern: Postern<T>,
  requirement: RequirementFor<Request, T>,
  zone: ZoneOf<Request>,
  { transport, methodOf, identityOf, onExpress = false, mode: first = 'use' }: Reading<Request>,
): Ask<Request, T> {
  const { gate, holding } = internalsOf(postern);
  const askOnce = oncePerRequest(gate, holding, onExpress ? PASSAGES.beside : PASSAGES.within);
  const prepared = typeof requirement === 'function' ? requirement : gate.prepare(requirement);
  const settled = settledBy(gate, transport);
  const constantZone = typeof zone === 'function' ? null : zone;

  const ask: Ask<Request> = (request, presented) => {
    try {
      if (typeof prepared !== 'function') return decide(request, presented, prepared);
      const needed = prepared(request);
      if (!isPromise(needed)) return decide(request, presented, named(needed));
      // A foreign thenable is wrapped: guards test with `instanceof Promise`.
      const decision = Promise.resolve(needed).then((each) => decide(request, presented, named(each)));
      return settled(decision);
    } catch (error) {
      return gate.fault(error, transport);
    }
  };

  function decide(
    request: Request,
    { token, malformed, proof }: Presented,
    needed: Requirement | null,
  ): Decision | Promise<Decision> {
    const standing = constantZone ?? (zone as (request: Request) => Zone)(request);
    const method = methodOf(request);
    const attempt = { token, malformed, proof, method, zone: standing, requirement: needed, transport };
    const askAs = (mode: Mode) => gate.tryAuthorize(attempt, mode) ?? settled(gate.authorize(attempt, mode));
    const decision =
      identityOf === undefined
        ? askAs(first)
        : askOnce(identityOf(request), attempt, (mode) => askAs(mode === 'use' ? first : mode));
    if (isPromise(decision)) return decision.then((each) => withScopes(each, needed));
    return withScopes(decision, needed);
  }

  return ask as Ask<Request, T>;
}

const UNAUTHENTICATED: ReadonlySet<DenialReason> = new Set([
  'token_missing',
  'token_unknown',
  'token_expired',
  'token_revoked',
]);

/** A client without a valid token learns from the challenge which scopes to ask for (RFC 6750 section 3). */
export function withScopes<Outcome extends Decision>(decision: Outcome, requirement: Requirement | null): Outcome {
  if (decision.allowed || requirement === null || !UNAUTHENTICATED.has(decision.reason)) return decision;
  const scope = Object.hasOwn(requirement, 'scope')
    ? (requirement as { scope: string | readonly string[] }).scope
    : null;
  return scope === null ? decision : { ...decision, scopes: typeof scope === 'string' ? [scope] : scope };
}

/** Reports a fault in a guard to the instance, and so to its `onEvent`. The result is a denial. */
export function reporter(postern: Postern, transport: Transport): (fault: unknown) => Denied {
  const { gate } = internalsOf(postern);
  return (fault) =>
    gate.fault(fault ?? new Error('a guard, or a function that it called, failed without a reason'), transport);
}

/** Makes a promise one that never rejects: a fault is reported and becomes a denial. */
function settledBy(gate: Gate, transport: Transport) {
  return (decision: Promise<Decision>): Promise<Decision> =>
    decision.catch((fault: unknown) =>
      gate.fault(fault ?? new Error('the requirement failed without a reason'), transport),
    );
}

/**
 * An endpoint without a name becomes `''`. That is no valid id, so the endpoint is unknown.
 *
 * @throws PosternError `requirement_invalid` for an organization without a name
 */
function named<T extends TokenTypes>(requirement: ComputedRequirement<T>): Requirement | null {
  if (requirement === undefined || requirement === null) return null;
  if (isNameless(requirement, 'organization')) {
    throw new PosternError('requirement_invalid', 'the function returned an organization that is undefined: name one', {
      path: 'organization',
      input: 'requirement',
    });
  }
  return (isNameless(requirement, 'endpoint') ? { ...requirement, endpoint: '' } : requirement) as Requirement;
}

function isNameless(requirement: object, key: string): boolean {
  return Object.hasOwn(requirement, key) && (requirement as Record<string, unknown>)[key] === undefined;
}

/** Whether a value is a promise, or a thenable of another realm or library. */
export function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
