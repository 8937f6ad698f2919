import { type Decision, denied } from '../domain/decision.js';
import type { Zone } from '../domain/endpoint.js';
import type { Requirement } from '../domain/requirement.js';
import type { AnyTokenTypes, ScopeOf, TokenTypes } from '../domain/token-types.js';
import type { Postern } from '../instance/create-postern.js';
import type { CredentialFields } from './credential.js';

/** What a guard needs of an instance. */
export type Asked<T extends TokenTypes = AnyTokenTypes> = Pick<Postern<T>, 'tryAuthorize' | 'authorize' | 'prepare'>;

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

/**
 * Makes the question that a guard asks for each request. A requirement that is a value is checked here, once.
 *
 * The answer comes without a promise where nothing has to be waited for. It is always a decision: what throws on the way
 * is a fault, and a fault is a denial.
 *
 * @param methodOf the HTTP method of a request, or the full name of its gRPC method
 * @throws PosternError `requirement_invalid`, `scope_unknown`
 */
export function asker<Request, T extends TokenTypes>(
  postern: Asked<T>,
  requirement: RequirementFor<Request, T>,
  zone: ZoneOf<Request> = 'external',
  methodOf?: (request: Request) => string,
): (request: Request, credential: CredentialFields) => Decision<T> | Promise<Decision<T>> {
  const prepared = typeof requirement === 'function' ? requirement : postern.prepare(requirement);
  const constantZone = typeof zone === 'function' ? null : zone;

  function decide(request: Request, credential: CredentialFields, needed: Requirement<T> | null) {
    const standing = constantZone ?? (zone as (request: Request) => Zone)(request);
    const { token, malformed, recheck, proof } = credential;
    const method = methodOf?.(request);
    const attempt = { token, malformed, recheck, proof, method, zone: standing, requirement: needed };
    return postern.tryAuthorize(attempt) ?? settled(postern, postern.authorize(attempt));
  }

  return (request, credential) => {
    try {
      if (typeof prepared !== 'function') return decide(request, credential, prepared);
      const needed = prepared(request);
      if (!isPromise(needed)) return decide(request, credential, named(needed));
      return settled(
        postern,
        // Whatever has a `then` may answer with anything: what the guards wait for is a promise of this realm.
        Promise.resolve(needed).then((each) => decide(request, credential, named(each))),
      );
    } catch (error) {
      return settled(postern, Promise.reject(error));
    }
  };
}

/** Tells the instance, and so its `onEvent`, what went wrong in a guard. The decision that it makes of it is not needed. */
export function reporter(postern: Asked): (fault: unknown) => void {
  return (fault) => void postern.authorize({ fault: fault ?? new Error('onDenied failed') }).catch(() => {});
}

/** A promise of a decision that never rejects: a fault is reported through `authorize`, which denies it. */
function settled<T extends TokenTypes>(postern: Asked<T>, decision: Promise<Decision<T>>): Promise<Decision<T>> {
  return decision.catch((fault: unknown) =>
    postern
      .authorize({ fault: fault ?? new Error('the requirement failed without a reason') })
      .catch(() => denied('internal_error')),
  );
}

/**
 * '' is no id, and the name of no organization: what was read from a route that has no such parameter is something that
 * nobody registered. Left as it is, a missing tenant would be taken for the caller's own.
 */
function named<T extends TokenTypes>(requirement: ComputedRequirement<T>): Requirement<T> | null {
  if (requirement === undefined || requirement === null) return null;
  const { endpoint, organization } = requirement as { endpoint?: unknown; organization?: unknown };
  const nameless = {
    ...(endpoint === undefined && Object.hasOwn(requirement, 'endpoint') && { endpoint: '' }),
    ...(organization === undefined && Object.hasOwn(requirement, 'organization') && { organization: '' }),
  };
  return Object.keys(nameless).length === 0
    ? (requirement as Requirement<T>)
    : ({ ...requirement, ...nameless } as unknown as Requirement<T>);
}

function isPromise<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}
