import { sha256 } from '@noble/hashes/sha2.js';
import { CompactSign, calculateJwkThumbprint, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { check, ownCopy } from '../base/check.js';
import { webRandom } from '../base/runtime.js';
import { pathOfTarget } from '../base/target.js';
import { encodeBase64url } from '../domain/base64url.js';
import { PosternError } from '../domain/errors.js';
import type { Presentation } from '../ports/authenticator.js';
import type { Store } from '../ports/store.js';
import { ALGORITHMS, bareKey, fits, isAlgorithm, type PublicJwk, type SignatureAlgorithm } from './algorithms.js';
import { readCompact } from './compact.js';
import { CLOCK_TOLERANCE, verifySignature } from './verify.js';

/** For how long after it was made a proof is taken, in milliseconds. */
const PROOF_LIFE = 60_000;
/**
 * For how much longer its `jti` is remembered, in milliseconds: a process whose clock is ahead removes what has ended by its
 * own time, and the proof may still come to one whose clock is behind.
 */
const CLOCK_MARGIN = 60_000;
const KIND = 'proof';
/** RFC 9449 section 4.3, check 7, beyond what {@link fits} refuses. */
const PRIVATE_MEMBERS = ['p', 'q', 'dp', 'dq', 'qi', 'oth'];

export interface ProofRules {
  /** RFC 7638 thumbprint of the key that the token is bound to: `cnf.jkt` (RFC 9449 section 6.1). */
  readonly jkt: string;
  /** The access token, whose hash the proof must name. */
  readonly token: string;
  /**
   * The origins that this resource is reached at, such as `https://api.acme.dev`. Not what a request says of itself: its `Host` is
   * the sender's own choice, and a proof that was made for another server would do.
   */
  readonly origins: readonly string[];
  /** Remembers the proofs that came, so that each is good once, whichever process it comes to. */
  readonly store: Pick<Store, 'findEntry' | 'putEntry'>;
}

/** What one proof is checked against. */
interface ProofCheck extends Pick<ProofRules, 'origins' | 'store'> {
  /** The value of the one header `DPoP`. */
  readonly jwt: string;
  readonly method: string;
  /** The target of the request, its query too. */
  readonly target: string;
  /** The hash of the token that it goes with; `null`: it goes with none yet (a request for one). */
  readonly ath: string | null;
  /** The thumbprint of the key that it must be of; `null`: any. */
  readonly jkt: string | null;
  /** Whether it is used up. */
  readonly spent: boolean;
}

/**
 * Makes what verifies the proofs of possession that come with one access token. It rejects with `unavailable` where the store
 * can't tell whether a proof came before.
 */
export function proofVerifier({ jkt, token, origins, store }: ProofRules) {
  const ath = hashOf(token);
  return async ({ method, proof }: Presentation, now: number, spent = true): Promise<boolean> => {
    if (proof === null || proof.jwt === null || method === null) return false;
    const { jwt, target } = proof;
    return (await checkProof({ jwt, method, target, ath, jkt, origins, store, spent }, now)) !== null;
  };
}

/**
 * The public key of a proof that comes with a request for a token, which is to be bound to it (RFC 9449 section 5); `null` where
 * the proof is not good.
 *
 * @throws PosternError `unavailable` where the store can't tell whether it came before
 */
export function keyOfProof(request: Omit<ProofCheck, 'ath' | 'jkt' | 'spent'>, now: number): Promise<PublicJwk | null> {
  return checkProof({ ...request, ath: null, jkt: null, spent: true }, now);
}

/**
 * The checks of RFC 9449 section 4.3, in its order. There is no server nonce (check 10): a proof is good for a minute, and once.
 *
 * @returns the key, by its bare members
 */
async function checkProof(asked: ProofCheck, now: number): Promise<PublicJwk | null> {
  const { jwt, method, target, ath, jkt, origins, store, spent } = asked;
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
  if (!(await verifySignature(jwt, jws, { find: async () => key }))) return null;
  // Last, when it is known whose it is: nobody uses up a `jti` of someone else's key.
  const entry = { kind: KIND, id: hashOf(JSON.stringify([thumbprint, jti])), value: '', version: 1 };
  const expiresAt = Math.ceil(madeAt) + PROOF_LIFE + CLOCK_MARGIN;
  const isNew = spent
    ? await store.putEntry({ ...entry, expiresAt }, 0, now)
    : (await store.findEntry(KIND, entry.id, now)) === null;
  return isNew ? bareKey(jwk) : null;
}

/**
 * `htu`, without query and fragment, is the address of the request (RFC 9449 section 4.3, check 9; compared as RFC 3986 section 6.2
 * says). A target that normalization would make another path is nobody's address: routers take it as it came.
 */
function isFor(htu: unknown, target: string, origins: readonly string[]): boolean {
  if (typeof htu !== 'string' || htu.length > 4_096) return false;
  const named = urlOf(htu);
  return named !== null && origins.includes(named.origin) && named.pathname === pathOfTarget(target);
}

function urlOf(text: string): URL | null {
  return URL.canParse(text) ? new URL(text) : null;
}

/** RFC 7638 thumbprint of a public key, base64url: what a bound token names its key by. */
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
  return encodeBase64url(sha256(new TextEncoder().encode(text)));
}

/** The request that a proof is for, and the key that makes it. */
export interface DpopProofOptions {
  /** The access token that the proof goes with. Left out: a proof for the request of one, at a token endpoint. */
  readonly accessToken?: string | undefined;
  /** The request's method, such as `GET`. */
  readonly method: string;
  /** The request's address; its query and fragment are left out. */
  readonly url: string | URL;
  /** The private key that the token is bound to, as a JWK. */
  readonly key: Readonly<Record<string, unknown>>;
  /** Of the signature. Default: the key's own `alg`, else what fits it first. */
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
 * Makes the proof of possession that goes with one request (RFC 9449 section 4.2): the value of its header `DPoP`. The token
 * itself goes into `Authorization: DPoP <token>`.
 *
 * @throws PosternError `option_invalid` (where the key is no private one that signs, too), `option_unknown`
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
  return new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ alg: algorithm, typ: 'dpop+jwt', jwk: bareKey(jwk) as JWK })
    .sign(privateKey);
}

/** The members of a key that everyone may see. */
function publicPartOf(key: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { kty, crv, x, y, n, e, alg } = key;
  return Object.fromEntries(Object.entries({ kty, crv, x, y, n, e, alg }).filter(([, value]) => value !== undefined));
}
