import { sha256 } from '@noble/hashes/sha2.js';
import { CompactSign, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { webRandom } from '../base/runtime.js';
import { pathOfTarget } from '../base/target.js';
import { encodeBase64url } from '../domain/base64url.js';
import { PosternError } from '../domain/errors.js';
import type { Presentation, ProofUse } from '../ports/authenticator.js';
import type { Store } from '../ports/store.js';
import { ALGORITHMS, bareKey, fits, isAlgorithm, type PublicJwk, type SignatureAlgorithm } from './algorithms.js';
import { readCompact } from './compact.js';
import { utf8 } from './utf8.js';
import { CLOCK_TOLERANCE, verifySignature } from './verify.js';

/** The life of a proof, in milliseconds. */
const PROOF_LIFE = 60_000;
/**
 * A `jti` is remembered this much longer, in milliseconds. A process whose clock is ahead would remove it too early, while a
 * process whose clock is behind still accepts the proof.
 */
const CLOCK_MARGIN = 60_000;
const KIND = 'proof';
/** RFC 9449 section 4.3, check 7: the private members that {@link fits} does not refuse. */
const PRIVATE_MEMBERS = ['p', 'q', 'dp', 'dq', 'qi', 'oth'];

export interface ProofRules {
  /** RFC 7638 thumbprint of the key that the token is bound to: `cnf.jkt` (RFC 9449 section 6.1). */
  readonly jkt: string;
  /** The access token. The proof must name its hash. */
  readonly token: string;
  /**
   * The origins of this resource, such as `https://api.acme.dev`. They are never read from a request: the sender chooses its
   * `Host`, so a proof for another server would pass.
   */
  readonly origins: readonly string[];
  /** Remembers proofs, so that each is good once across all processes. */
  readonly store: Pick<Store, 'findEntry' | 'putEntry'>;
}

/** Input for the check of one proof. */
interface ProofCheck extends Pick<ProofRules, 'origins' | 'store'> {
  /** The value of the header `DPoP`. */
  readonly jwt: string;
  readonly method: string;
  /** The target of the request, with its query. */
  readonly target: string;
  /** The hash of the token that comes with the proof; `null` for a request for a token. */
  readonly ath: string | null;
  /** The thumbprint of the required key; `null`: any key. */
  readonly jkt: string | null;
  readonly use: ProofUse;
}

/**
 * Makes the function that verifies the proofs of one access token. The function rejects with `unavailable` if the store can't
 * tell whether a proof was used before.
 */
export function proofVerifier({ jkt, token, origins, store }: ProofRules) {
  const ath = hashOf(token);
  return async ({ method, proof }: Presentation, now: number, use: ProofUse = 'use'): Promise<boolean> => {
    if (proof === null || proof.jwt === null || method === null) return false;
    const { jwt, target } = proof;
    return (await checkProof({ jwt, method, target, ath, jkt, origins, store, use }, now)) !== null;
  };
}

/**
 * The public key of the proof in a request for a token. The token is then bound to that key (RFC 9449 section 5). `null` if the
 * proof is not valid.
 *
 * @throws PosternError `unavailable` if the store can't tell whether the proof was used before
 */
export function keyOfProof(request: Omit<ProofCheck, 'ath' | 'jkt' | 'use'>, now: number): Promise<PublicJwk | null> {
  return checkProof({ ...request, ath: null, jkt: null, use: 'use' }, now);
}

/**
 * The checks of RFC 9449 section 4.3, in its order. There is no server nonce (check 10), because a proof is good for one minute
 * and once.
 *
 * @returns the key with its bare members; `null` if the proof is not valid
 */
async function checkProof(asked: ProofCheck, now: number): Promise<PublicJwk | null> {
  const { jwt, method, target, ath, jkt, origins, store, use } = asked;
  const jws = readCompact(jwt, { allowJwk: true });
  if (jws === null || jws.typ !== 'dpop+jwt') return null;
  const { jwk, alg } = jws.header;
  if (!fits(alg, jwk) || PRIVATE_MEMBERS.some((name) => jwk[name] !== undefined)) return null;
  const { jti, htm, htu, iat, ath: named } = jws.payload;
  if (typeof jti !== 'string' || jti === '' || jti.length > 512) return null;
  if (htm !== method || !isFor(htu, target, origins) || (ath !== null && named !== ath)) return null;
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return null;
  const madeAt = iat * 1000;
  if (madeAt > now + CLOCK_TOLERANCE || madeAt <= now - PROOF_LIFE) return null;
  const key = await importedOrNull(jwk, alg);
  const thumbprint = key === null ? null : await thumbprintOf(jwk);
  if (key === null || (jkt !== null && thumbprint !== jkt)) return null;
  if (!(await verifySignature(jws, { find: async () => key }))) return null;
  // Last, when the key is proven: nobody can use up the `jti` of another's key.
  const entry = { kind: KIND, id: hashOf(JSON.stringify([thumbprint, jti])), value: '', version: 1 };
  const expiresAt = Math.ceil(madeAt) + PROOF_LIFE + CLOCK_MARGIN;
  const isGood =
    use === 'again' ||
    (use === 'look'
      ? (await store.findEntry(KIND, entry.id, now)) === null
      : await store.putEntry({ ...entry, expiresAt }, 0, now));
  return isGood ? bareKey(jwk) : null;
}

/**
 * Whether `htu`, without query and fragment, is the address of the request (RFC 9449 section 4.3, check 9; compared by RFC 3986
 * section 6.2). A target whose path normalization would change never matches, because routers use it unchanged.
 */
function isFor(htu: unknown, target: string, origins: readonly string[]): boolean {
  if (typeof htu !== 'string' || htu.length > 4_096) return false;
  const named = urlOf(htu);
  return named !== null && origins.includes(named.origin) && named.pathname === pathOfTarget(target);
}

function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** RFC 7638 thumbprint of a public key, base64url. A bound token names its key by it. */
export function thumbprintOf(jwk: Readonly<Record<string, unknown>>): Promise<string> {
  return calculateJwkThumbprint(bareKey(jwk) as JWK);
}

async function importedOrNull(jwk: Readonly<Record<string, unknown>>, alg: SignatureAlgorithm) {
  try {
    return (await importJWK(bareKey(jwk) as JWK, alg)) as CryptoKey;
  } catch {
    return null;
  }
}

function hashOf(text: string): string {
  return encodeBase64url(sha256(utf8(text)));
}

/** The request that a proof is for, and the key that makes it. */
export interface DpopProofOptions {
  /** The access token that is sent with the proof. Left out: a proof for a request to a token endpoint. */
  readonly accessToken?: string | undefined;
  /** The request's method, such as `GET`. */
  readonly method: string;
  /** The request's address. Its query and fragment are dropped. */
  readonly url: string | URL;
  /** The private key that the token is bound to, as a JWK. */
  readonly key: Readonly<Record<string, unknown>>;
  /** The signature algorithm. Default: the key's own `alg`, else the first that fits. */
  readonly algorithm?: SignatureAlgorithm | undefined;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: (() => number) | undefined;
}

const proofOptions = z.strictObject({
  accessToken: z.string('give a token').min(1, 'give a token').optional(),
  method: z.string("give the request's method, such as GET").min(1, "give the request's method, such as GET"),
  url: z.custom<string | URL>((value) => URL.canParse(String(value)), 'give the absolute address of the request'),
  key: z.custom<DpopProofOptions['key']>((value) => typeof value === 'object' && value !== null, 'give a private JWK'),
  algorithm: z.custom<SignatureAlgorithm>(isAlgorithm, `use one of ${ALGORITHMS.join(', ')}`).optional(),
  clock: z.custom<() => number>((value) => typeof value === 'function', 'give a function').optional(),
});

/**
 * Makes the proof of possession for one request (RFC 9449 section 4.2): the value of its header `DPoP`. Send the token itself as
 * `Authorization: DPoP <token>`.
 *
 * @throws PosternError `option_invalid` (also if the key is no private key that signs), `option_unknown`
 */
export async function dpopProof(options: DpopProofOptions): Promise<string> {
  const given = check(proofOptions, options, 'dpopProof', 'option_invalid');
  const { accessToken, method, url, clock = Date.now } = given;
  const key = ownCopy(given.key);
  const jwk = publicPartOf(key);
  const algorithm = given.algorithm ?? ALGORITHMS.find((alg) => fits(alg, jwk));
  const random = webRandom();
  if (algorithm === undefined || !fits(algorithm, jwk) || typeof key.d !== 'string' || random === null) {
    throw new PosternError('option_invalid', 'is no private key that signs: give a JWK with its d', {
      path: 'key',
      input: 'dpopProof',
    });
  }
  const htu = new URL(url);
  htu.search = '';
  htu.hash = '';
  const claims = {
    jti: encodeBase64url(random(16)),
    htm: method,
    htu: htu.href,
    iat: Math.floor(clock() / 1000),
    ...(accessToken !== undefined && { ath: hashOf(accessToken) }),
  };
  const privateKey = await importJWK(key as JWK, algorithm);
  return new CompactSign(utf8(JSON.stringify(claims)))
    .setProtectedHeader({ alg: algorithm, typ: 'dpop+jwt', jwk: bareKey(jwk) as JWK })
    .sign(privateKey);
}

/** The public members of a key. */
function publicPartOf(key: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { kty, crv, x, y, n, e, alg } = key;
  return Object.fromEntries(Object.entries({ kty, crv, x, y, n, e, alg }).filter(([, value]) => value !== undefined));
}
