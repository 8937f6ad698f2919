import { compactVerify } from 'jose';
import type { Refusal } from '../ports/authenticator.js';
import type { CompactJws } from './compact.js';

/** What a set of keys is asked by: the header of a token, which nobody has verified yet. */
export interface KeyQuery {
  readonly alg: string;
  readonly kid: string | null;
}

/** Where keys to verify with come from. */
export interface VerificationKeys {
  /**
   * The key that a header names, imported for its algorithm; several where the name is not one key's; `null` where there is
   * none. Rejects where it can't be told (a key server that does not answer): a fault, and no verdict on the token.
   */
  find(header: KeyQuery): Promise<CryptoKey | readonly CryptoKey[] | null>;
}

/** How many keys are tried, at most, where one name is several keys': what a token costs must not be its sender's choice. */
export const MAX_KEYS_TRIED = 4;

/** The claims that every accepted token has, once {@link checkClaims} has found nothing wrong with them. */
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
  /** How far the issuer's clock may be ahead of ours: for `iat` and `nbf`. Milliseconds. */
  readonly tolerance: number;
  /** How much later than `exp` it ends. Milliseconds. Default 0: an issuer whose clock is ours needs none. */
  readonly expiryTolerance?: number;
}

/** The clock tolerance of RFC 7519 section 4.1, where nothing else is said. Milliseconds. */
export const CLOCK_TOLERANCE = 5_000;

/** The latest time that a date can hold (ECMA-262, 21.4.1.1), in seconds. A later `exp` is a slip, or a trick. */
const LATEST = 8.64e12;

/**
 * Whether the signature is of one of the keys. Import and algorithm are the keys' business; the signature is `jose`'s.
 *
 * @param jws what `readCompact` made of this very token
 */
export async function verifySignature(token: string, jws: CompactJws, keys: VerificationKeys): Promise<boolean> {
  const { alg } = jws.header;
  const found = await keys.find({ alg, kid: jws.kid });
  if (found === null) return false;
  if (!Array.isArray(found)) return isSignedBy(token, alg, found as CryptoKey);
  for (const key of found.slice(0, MAX_KEYS_TRIED)) if (await isSignedBy(token, alg, key)) return true;
  return false;
}

async function isSignedBy(token: string, alg: string, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(token, key, { algorithms: [alg] });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return false;
    throw error;
  }
}

/**
 * The rules of RFC 7519 section 4.1 and RFC 9068 section 4 that hold for every token here: `iss` is the issuer to the
 * character, `aud` names us, `sub` is somebody, `exp` is there and not past, `iat` and `nbf` are not ahead of us.
 *
 * @returns `null` where nothing is wrong: then the payload is {@link RegisteredClaims}
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

/** From when on a token is expired, in epoch milliseconds: always a time that a date can hold. */
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
