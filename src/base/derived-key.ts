import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { decodeBase64url, encodeBase64url } from '../domain/base64url.js';
import { asciiBytes, type DerivedToken } from '../domain/derived-token.js';
import { bytesToLatin1 } from './digest.js';
import { nodePublicHalf, subtleCrypto } from './runtime.js';

/** Binds the key to this use. The stored digest, and other values derived from a token, reveal nothing of the key. */
const INFO = asciiBytes('postern derived token, Ed25519 seed, version 1');
/** The beginning of a PKCS #8 Ed25519 private key (RFC 8410 section 7). The 32 bytes of the seed follow. */
const PKCS8_HEAD = Uint8Array.of(48, 46, 2, 1, 0, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32);

const publicHalf = /* @__PURE__ */ nodePublicHalf();

/** An Ed25519 key that is derived from an API token, as a JWK (RFC 8037). */
export interface DerivedKey {
  /** RFC 7638 thumbprint of the public key, base64url: the `kid` of tokens signed with it. */
  readonly kid: string;
  /** The public half, base64url. */
  readonly x: string;
  /** The private half: the seed, base64url. A secret. */
  readonly d: string;
}

/**
 * The key of an API token. Its seed is `HKDF-SHA-256(token)` (RFC 5869); a token has 256 random bits, so no salt is needed.
 * `null` if the runtime's Web Crypto API has no Ed25519.
 */
export async function derivedKeyOf(token: string, native = publicHalf): Promise<DerivedKey | null> {
  const seed = hkdf(sha256, asciiBytes(token), undefined, INFO, 32);
  const d = encodeBase64url(seed);
  const x = native === null ? await publicHalfOf(seed) : native(d);
  return typeof x === 'string' ? { kid: thumbprintOf(x), x, d } : null;
}

async function publicHalfOf(seed: Uint8Array): Promise<string | undefined> {
  const subtle = subtleCrypto();
  if (subtle === null) return undefined;
  const pkcs8 = new Uint8Array(PKCS8_HEAD.length + seed.length);
  pkcs8.set(PKCS8_HEAD);
  pkcs8.set(seed, PKCS8_HEAD.length);
  try {
    const key = await subtle.importKey('pkcs8', pkcs8, { name: 'Ed25519' }, true, ['sign']);
    return (await subtle.exportKey('jwk', key)).x;
  } catch (error) {
    // A runtime without Ed25519 throws this error. Any other error is a failure.
    if ((error as Error | null)?.name === 'NotSupportedError') return undefined;
    throw error;
  }
}

/** A thumbprint in the digester's input form: 32 bytes as text. */
export function keyIdOf(kid: string): string {
  return bytesToLatin1(decodeBase64url(kid) ?? new Uint8Array());
}

/** RFC 7638 section 3: the required members of an OKP key (RFC 8037 section 2), in lexicographic order, without white space. */
export function thumbprintOf(x: string): string {
  return encodeBase64url(sha256(asciiBytes(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`)));
}

/**
 * Whether a derived token is signed with the key of this stored public half.
 *
 * @throws Error if this runtime can't verify: a fault
 */
export async function isSignedWith(publicKey: string, { signed, signature }: DerivedToken): Promise<boolean> {
  const subtle = subtleCrypto();
  const raw = decodeBase64url(publicKey);
  if (subtle === null) throw new Error('this runtime has no Web Crypto API: derived tokens can not be verified here');
  if (raw?.length !== 32) throw new Error('the public key of this secret can not be read');
  const key = await subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']);
  return subtle.verify({ name: 'Ed25519' }, key, signature, asciiBytes(signed));
}
