import type { LimitState } from './limits.js';
import type { Principal } from './principal.js';
import type { TokenTypes } from './token-types.js';

/**
 * The reason for a denial. `internal_error` and `unavailable` are faults: the credential may be good. Every transport maps
 * each reason to its own status in one exhaustive table.
 */
export type DenialReason =
  | 'token_missing'
  | 'token_malformed'
  | 'token_unknown'
  | 'token_expired'
  | 'token_revoked'
  | 'proof_invalid'
  | 'scope_missing'
  | 'endpoint_not_granted'
  | 'endpoint_unknown'
  | 'endpoint_private'
  | 'requirement_missing'
  | 'rate_limited'
  | 'unavailable'
  | 'internal_error';

/** The part that failed. */
export type FaultCause = 'store' | 'issuer' | 'limiter';

/** The decision that lets an attempt through. */
export interface Allowed<T extends TokenTypes = TokenTypes> {
  readonly allowed: true;
  /** `null` if no credential was needed: a public endpoint, or a private one called from the internal zone. */
  readonly principal: Principal<T> | null;
  /** For a token with limits: the window with the smallest share of calls left. */
  readonly limit?: LimitState;
}

/** The decision that refuses an attempt, or a fault (`unavailable`, `internal_error`). */
export interface Denied {
  readonly allowed: false;
  readonly reason: DenialReason;
  /** The scopes that the call needs: with `scope_missing`, and in guards also with the reasons of a 401. */
  readonly scopes?: readonly string[];
  /** With `unavailable`: the part that is down. */
  readonly cause?: FaultCause;
  /** With `rate_limited`: the window that is used up. */
  readonly limit?: LimitState;
  /** With `unavailable` and `internal_error`: the original error. Not enumerable, and no guard shows it. */
  readonly error?: unknown;
}

/** The answer to one attempt. There is no third outcome: a fault is a denial with its own reason. */
export type Decision<T extends TokenTypes = TokenTypes> = Allowed<T> | Denied;

/** The outcome of a check that needs no grant: the principal, or the reason for the denial. */
export type Authentication<T extends TokenTypes = TokenTypes> =
  | { readonly ok: true; readonly principal: Principal<T> }
  | { readonly ok: false; readonly reason: DenialReason; readonly cause?: FaultCause };

const ALLOWED_WITHOUT_PRINCIPAL: Allowed = Object.freeze({ allowed: true, principal: null });

/** One frozen object for each reason, so that a flood of refusals allocates nothing. */
const DENIALS = new Map<DenialReason, Denied>();

export function allowed(principal: Principal | null): Allowed {
  return principal === null ? ALLOWED_WITHOUT_PRINCIPAL : { allowed: true, principal };
}

export function denied(reason: DenialReason): Denied {
  let denial = DENIALS.get(reason);
  if (denial === undefined) {
    denial = Object.freeze({ allowed: false, reason });
    DENIALS.set(reason, denial);
  }
  return denial;
}

/** Whether it is a denial, by a property of its own: what `Object.prototype` was given makes none. */
export function isDenied(value: object): value is Denied {
  return Object.hasOwn(value, 'allowed') && (value as Denied).allowed === false;
}

export function scopeMissing(scopes: readonly string[]): Denied {
  return { allowed: false, reason: 'scope_missing', scopes };
}

export function unavailable(cause: FaultCause, error: unknown): Denied {
  return withError({ allowed: false, reason: 'unavailable', cause }, error);
}

export function internalError(error: unknown): Denied {
  return withError({ allowed: false, reason: 'internal_error' }, error);
}

/** Not enumerable: a decision that is sent or logged as a whole doesn't reveal the error. */
function withError(denial: Denied, error: unknown): Denied {
  return Object.defineProperty(denial, 'error', { value: error, enumerable: false });
}
