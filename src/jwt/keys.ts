import { sha256 } from '@noble/hashes/sha2.js';
import { CompactSign, compactVerify, exportJWK, generateKeyPair, importJWK } from 'jose';
import * as z from 'zod';
import { check, ownCopy } from '../base/check.js';
import { encodeBase64url } from '../domain/base64url.js';
import { PosternError } from '../domain/errors.js';
import { bareKey, fits, type PublicJwk } from './algorithms.js';
import { utf8 } from './utf8.js';

/** The algorithms of access tokens (RFC 8037 section 3.1, RFC 7518 section 3.4). */
export const SIGNING_ALGORITHMS = ['EdDSA', 'ES256'] as const;

/** An algorithm that `accessTokens` signs with. */
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** A private signing key as JSON (RFC 7517). A secret: `d` is the private part. */
export interface PrivateJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y?: string;
  readonly d: string;
  /** RFC 7638 thumbprint of the public part. */
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
}

/** A public key as it is published. It has no private part. */
export interface PublishedJwk {
  readonly kty: string;
  readonly crv: string;
  readonly x: string;
  readonly y?: string;
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly use: 'sig';
}

/** A JSON Web Key Set of public keys (RFC 7517 section 5). */
export interface PublishedKeySet {
  readonly keys: readonly PublishedJwk[];
}

/** A signing key, ready for use. */
export interface Signer {
  readonly alg: SigningAlgorithm;
  readonly kid: string;
  readonly key: CryptoKey;
}

/** The application's own keys: the first one signs, all verify. */
export interface GivenKeys {
  readonly signing: PrivateJwk;
  readonly published: readonly PublishedJwk[];
}

const MAX_KEYS = 16;
const MAX_KID_LENGTH = 512;

const generateOptions = z.strictObject({
  alg: z.enum(SIGNING_ALGORITHMS, "use 'EdDSA' or 'ES256'").default('EdDSA'),
});

/**
 * Makes a new signing key: a list with one private JWK, for the option `keys` of `accessTokens`. Keep it secret.
 *
 * @example
 * const keys = await generateKeys({ alg: 'EdDSA' });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export async function generateKeys(options: { readonly alg?: SigningAlgorithm } = {}): Promise<PrivateJwk[]> {
  const { alg } = check(generateOptions, options, 'generateKeys', 'option_invalid');
  return [await generateKey(alg)];
}

export async function generateKey(alg: SigningAlgorithm): Promise<PrivateJwk> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true, ...(alg === 'EdDSA' && { crv: 'Ed25519' }) });
  const { d, ...jwk } = await exportJWK(privateKey);
  const bare = bareKey(jwk as PublicJwk) as { kty: string; crv: string; x: string; y?: string };
  return { ...bare, d: d as string, kid: thumbprintOf(bare), alg, use: 'sig' };
}

/** RFC 7638 section 3: the required members in lexicographic order, without white space. For keys on curves. */
export function thumbprintOf({ kty, crv, x, y }: Pick<PrivateJwk, 'kty' | 'crv' | 'x' | 'y'>): string {
  const required = kty === 'EC' ? { crv, kty, x, y } : { crv, kty, x };
  return encodeBase64url(sha256(utf8(JSON.stringify(required))));
}

/** Puts the members in one order, so that all processes publish the same text. */
export function publishedOf({ kty, crv, x, y, kid, alg, use }: PublishedJwk): PublishedJwk {
  return { kty, crv, x, ...(y !== undefined && { y }), kid, alg, use };
}

/**
 * Reads the option `keys`: private JWKs, in a list or a JWK Set. All but the first may be public keys, which verify tokens of
 * earlier or later keys. The default `kid` is the thumbprint; the default `alg` comes from the curve.
 *
 * @throws PosternError `option_invalid`
 */
export function readKeys(given: readonly object[] | { readonly keys: readonly object[] }): GivenKeys {
  const list = Array.isArray(given) ? (given as readonly object[]) : (given as { keys: readonly object[] }).keys;
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_KEYS) {
    throw invalid('keys', `must be a list of 1 to ${MAX_KEYS} JWKs, such as generateKeys() makes`);
  }
  const read = list.map((jwk, index) => readKey(jwk, `keys.${index}`));
  const first = read[0] as ReturnType<typeof readKey>;
  if (first.d === null)
    throw invalid('keys.0', 'has no private part (d), but the first key signs: put a private key first');
  const kids = new Set(read.map(({ published }) => published.kid));
  if (kids.size < read.length) throw invalid('keys', 'has two keys with one kid: give each key its own kid');
  return { signing: { ...first.published, d: first.d }, published: read.map(({ published }) => published) };
}

function readKey(given: unknown, path: string): { readonly published: PublishedJwk; readonly d: string | null } {
  if (typeof given !== 'object' || given === null) throw invalid(path, 'is no JWK');
  const { d = null, ...jwk } = ownCopy(given) as Record<string, unknown>;
  // `key_ops` (RFC 7517 section 4.3) differ between a private key and its public half.
  const { key_ops: operations, ...rest } = jwk;
  if (operations !== undefined && !(Array.isArray(operations) && operations.some((each) => USES.includes(each)))) {
    throw invalid(path, 'has key_ops that neither sign nor verify');
  }
  const alg = SIGNING_ALGORITHMS.find((each) => fits(each, rest));
  if (alg === undefined) throw invalid(path, 'is no signing key: give an Ed25519 key (EdDSA) or a P-256 key (ES256)');
  if (d !== null && typeof d !== 'string') throw invalid(path, 'has a private part (d) that is no text');
  const bare = bareKey(rest as PublicJwk) as { kty: string; crv: string; x: string; y?: string };
  const kid = rest.kid ?? thumbprintOf(bare);
  if (typeof kid !== 'string' || kid === '' || kid.length > MAX_KID_LENGTH) {
    throw invalid(path, `has a kid that is no text of 1 to ${MAX_KID_LENGTH} characters`);
  }
  return { published: publishedOf({ ...bare, kid, alg, use: 'sig' }), d };
}

const USES = ['sign', 'verify'];

/**
 * Imports a private key and tries it, because nobody could verify the signatures of a key whose halves don't belong together.
 *
 * @throws PosternError `option_invalid`
 */
export async function importSigner({ kid, alg, use, d, ...bare }: PrivateJwk): Promise<Signer> {
  try {
    const key = (await importJWK({ ...bare, d }, alg)) as CryptoKey;
    const probe = await new CompactSign(Uint8Array.of(1)).setProtectedHeader({ alg }).sign(key);
    await compactVerify(probe, await importJWK(bare, alg), { algorithms: [alg] });
    return { alg, kid, key };
  } catch (cause) {
    throw new PosternError(
      'option_invalid',
      'the private key can not be used because its parts do not belong together: make one with generateKeys()',
      { path: 'keys', input: 'accessTokens', cause },
    );
  }
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'accessTokens' });
}
