import type { Refusal } from '../ports/authenticator.js';
import type { CompactJws } from './compact.js';
import { isSignedBy } from './signature.js';

/** A query for keys, from the header of a token that is not verified yet. */
export interface KeyQuery {
  readonly alg: string;
  readonly kid: string | null;
}

/** The key that a header names, imported for its algorithm; several if more than one has the name; `null`: there is none. */
export type FoundKeys = CryptoKey | readonly CryptoKey[] | null;

/** A source of keys to verify with. */
export interface VerificationKeys {
  /**
   * The key for a header: without a promise if it is in memory.
   * Rejects if it can't tell (a key server does not answer): that is a fault, not a verdict on the token.
   */
  find(header: KeyQuery): FoundKeys | Promise<FoundKeys>;
}

/** The most keys that are tried for one name: the sender of a token must not choose its cost. */
export const MAX_KEYS_TRIED = 4;

/** The claims that every accepted token has, after {@link checkClaims}. */
export interface RegisteredClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | readonly string[];
  /** Epoch seconds (RFC 7519 section 2), like `iat` and `nbf`. */
  readonly exp: number;
  readonly iat?: number;
  readonly nbf?: number;
  readonly jti?: string;
}

export interface ClaimRules extends TimeRules {
  readonly issuer: string;
  /** The token must be for one of these. */
  readonly audience: string | readonly string[];
}

export interface TimeRules {
  /** Epoch milliseconds. */
  readonly now: number;
  /** How far the issuer's clock may be ahead of ours, for `iat` and `nbf`. Milliseconds. */
  readonly tolerance: number;
  /** Added to `exp`. Milliseconds. Default 0, for an issuer that shares our clock. */
  readonly expiryTolerance?: number;
}

/** The default clock tolerance (RFC 7519 section 4.1). Milliseconds. */
export const CLOCK_TOLERANCE = 5_000;

/** The latest time that a date can hold (ECMA-262, 21.4.1.1), in seconds. A later `exp` is a mistake or a trick. */
const LATEST = 8.64e12;

/**
 * Whether one of the keys made the signature of a token. The source of the keys checks the algorithm. There is no promise if the
 * key is in memory and the runtime verifies without one.
 */
export function verifySignature(jws: CompactJws, keys: VerificationKeys): boolean | Promise<boolean> {
  const found = keys.find({ alg: jws.header.alg, kid: jws.kid });
  return found instanceof Promise ? found.then((later) => isSignedByOne(jws, later)) : isSignedByOne(jws, found);
}

function isSignedByOne(jws: CompactJws, found: FoundKeys): boolean | Promise<boolean> {
  if (found === null) return false;
  return isSeveral(found) ? isSignedByAny(jws, found) : isSignedBy(jws, found);
}

async function isSignedByAny(jws: CompactJws, keys: readonly CryptoKey[]): Promise<boolean> {
  for (const key of keys.slice(0, MAX_KEYS_TRIED)) if (await isSignedBy(jws, key)) return true;
  return false;
}

function isSeveral(found: CryptoKey | readonly CryptoKey[]): found is readonly CryptoKey[] {
  return Array.isArray(found);
}

/**
 * The rules of RFC 7519 section 4.1 and RFC 9068 section 4 for every token here: `iss` is exactly the issuer, `aud` names us,
 * `sub` is not empty, `exp` is present and not past, `iat` and `nbf` are not in the future.
 *
 * @returns `null` if nothing is wrong: then the payload is {@link RegisteredClaims}
 */
export function checkClaims(payload: Readonly<Record<string, unknown>>, rules: ClaimRules): Refusal | null {
  if (payload.iss !== rules.issuer || !isForAudience(payload.aud, rules.audience)) return 'token_unknown';
  return checkTimes(payload, rules);
}

/** The same rules but for the issuer and the audience: those were found to be right already. */
export function checkTimes(payload: Readonly<Record<string, unknown>>, rules: TimeRules): Refusal | null {
  const { sub, exp, iat, nbf, jti } = payload;
  if (typeof sub !== 'string' || sub === '') return 'token_unknown';
  if (!isTime(exp) || (jti !== undefined && typeof jti !== 'string')) return 'token_unknown';
  const latest = rules.now + rules.tolerance;
  if (iat !== undefined && !(isTime(iat) && iat * 1000 <= latest)) return 'token_unknown';
  if (nbf !== undefined && !(isTime(nbf) && nbf * 1000 <= latest)) return 'token_unknown';
  return expiryOf(payload as unknown as RegisteredClaims, rules.expiryTolerance) <= rules.now ? 'token_expired' : null;
}

/** The time from which a token is expired, in epoch milliseconds: always within the range of a date. */
export function expiryOf(claims: Pick<RegisteredClaims, 'exp'>, tolerance = 0): number {
  return Math.min(Math.floor(claims.exp * 1000) + tolerance, LATEST * 1000);
}

/** Whether `aud` names one of these (RFC 7519 section 4.1.3). */
export function isForAudience(aud: unknown, audience: string | readonly string[]): boolean {
  const given = typeof aud === 'string' ? [aud] : aud;
  if (!Array.isArray(given) || !given.every((each) => typeof each === 'string')) return false;
  return typeof audience === 'string' ? given.includes(audience) : audience.some((each) => given.includes(each));
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) <= LATEST;
}
