import { compactVerify } from 'jose';
import { type NodeVerifier, nodeVerifier } from '../base/runtime.js';
import { decodeBase64url } from '../domain/base64url.js';
import type { SignatureAlgorithm } from './algorithms.js';
import type { CompactJws } from './compact.js';

/**
 * Whether this key made the signature of a token. A key that is not for the algorithm of the token is an error.
 *
 * @param jws the result of `readCompact`, which refuses `crit`, `b64` and every second spelling of a token
 */
export type SignatureCheck = (jws: CompactJws, key: CryptoKey) => boolean | Promise<boolean>;

/** By `jose`, with the Web Crypto API of any runtime. */
export const portableCheck: SignatureCheck = async ({ token, header }, key) => {
  try {
    await compactVerify(token, key, { algorithms: [header.alg] });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED') return false;
    throw error;
  }
};

/** The key of an algorithm in the words of the Web Crypto API, and the arguments of Node's `verify`. */
interface Recipe {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly digest: string | null;
  readonly options: Readonly<Record<string, unknown>>;
}

const ED25519: Recipe = { name: 'Ed25519', digest: null, options: {} };

/** RFC 7518 section 3.3. */
const pkcs1 = (bits: number): Recipe => ({
  name: 'RSASSA-PKCS1-v1_5',
  hash: `SHA-${bits}`,
  digest: `sha${bits}`,
  options: { padding: 1 },
});

/** RFC 7518 section 3.5: the salt is as long as the hash. */
const pss = (bits: number): Recipe => ({
  name: 'RSA-PSS',
  hash: `SHA-${bits}`,
  digest: `sha${bits}`,
  options: { padding: 6, saltLength: bits / 8 },
});

/**
 * Algorithms that take at most a tenth of a millisecond here. ES384 and ES512 take five to fifteen times that: they stay off the
 * event loop, in the threads of the Web Crypto API.
 */
const RECIPES: ReadonlyMap<string, Recipe> = new Map<SignatureAlgorithm, Recipe>([
  ['EdDSA', ED25519],
  ['Ed25519', ED25519],
  // A signature of JWS is r and s, not DER (RFC 7518 section 3.4).
  ['ES256', { name: 'ECDSA', namedCurve: 'P-256', digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } }],
  ['RS256', pkcs1(256)],
  ['RS384', pkcs1(384)],
  ['RS512', pkcs1(512)],
  ['PS256', pss(256)],
  ['PS384', pss(384)],
  ['PS512', pss(512)],
]);

/** In bits. The sender of a proof of possession chooses its key: a longer one would hold the event loop for milliseconds. */
const LEAST_MODULUS = 2048;
const MOST_MODULUS = 4096;
/** 65537, the exponent of nearly every key. A long one costs as much as a signature. */
const EXPONENT = '1,0,1';

/** A key in the form that Node's `verify` takes, and the only recipe that it was found to be for. */
interface ImportedKey {
  readonly recipe: Recipe;
  readonly native: object;
}

const encoder = new TextEncoder();

/** By Node itself: half the time of Web Crypto. Everything that is not as usual is left to {@link portableCheck}. */
export function nativeCheck({ verify, keyOf }: NodeVerifier): SignatureCheck {
  const imported = new WeakMap<CryptoKey, ImportedKey>();

  function importedFor(recipe: Recipe, key: CryptoKey): ImportedKey | null {
    const known = imported.get(key);
    if (known?.recipe === recipe) return known;
    if (!isFor(recipe, key)) return null;
    // No prototype: a polluted `Object.prototype` must not choose a padding.
    const native = Object.assign(Object.create(null), recipe.options, { key: keyOf(key) }) as object;
    const made = { recipe, native };
    imported.set(key, made);
    return made;
  }

  return (jws, key) => {
    const recipe = RECIPES.get(jws.header.alg);
    const usable = recipe === undefined ? null : importedFor(recipe, key);
    if (usable === null) return portableCheck(jws, key);
    const end = jws.token.lastIndexOf('.');
    const signature = decodeBase64url(jws.token.slice(end + 1));
    if (signature === null) return false;
    try {
      return verify(usable.recipe.digest, encoder.encode(jws.token.slice(0, end)), usable.native, signature);
    } catch {
      return false;
    }
  };
}

/** Whether a public key was imported for this algorithm, and is cheap to use. */
function isFor({ name, hash, namedCurve }: Recipe, { type, usages, algorithm }: CryptoKey): boolean {
  const given: KeyDetails = algorithm;
  if (type !== 'public' || !usages.includes('verify') || given.name !== name) return false;
  if (given.hash?.name !== hash || given.namedCurve !== namedCurve) return false;
  const { modulusLength: bits, publicExponent } = given;
  if (hash === undefined) return true;
  return bits !== undefined && bits >= LEAST_MODULUS && bits <= MOST_MODULUS && String(publicExponent) === EXPONENT;
}

type KeyDetails = KeyAlgorithm & {
  readonly hash?: KeyAlgorithm;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array;
};

const native = nodeVerifier();

/** The check of this runtime. For each token and key the answers of both are the same: tests compare them. */
export const isSignedBy: SignatureCheck = native === null ? portableCheck : nativeCheck(native);
