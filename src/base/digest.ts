import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { nativeHash } from './runtime.js';

/**
 * SHA-256 of an ASCII text, as 32 characters, one for each byte: the shortest string that holds a digest. The cache uses it as
 * its key, over the whole token, so that two tokens never share an entry. A text that is not ASCII gets a hash that no token
 * has.
 */
export type Hash = (text: string) => string;

/** The same in pure JavaScript (five times slower). For ASCII the results are identical; tests run every path with both. */
export const portableHash: Hash = (text) => bytesToLatin1(sha256(bytesOf(text)));

export const hash: Hash = nativeHash() ?? portableHash;

/** An HMAC key over the digests. The first of a list is used for new secrets; all are used to verify. */
export interface PepperKey {
  readonly id: string;
  /** `null`: no key. Listed last, it keeps tokens valid that were made before the first pepper. */
  readonly key: Uint8Array | null;
}

export interface DigestedSecret {
  readonly digest: string;
  readonly pepper: string | null;
}

/** Turns the hash of a secret into the stored digest. */
export interface Digester {
  /** The digest for a new secret. */
  write(hashed: string): DigestedSecret;
  /** Every digest that this secret may have in the store. */
  candidates(hashed: string): readonly string[];
}

export function createDigester(peppers: readonly PepperKey[]): Digester {
  const keys = peppers.length === 0 ? [{ id: '', key: null }] : peppers;
  const first = keys[0] as PepperKey;
  return {
    write: (hashed) => ({ digest: digestUnder(first.key, hashed), pepper: first.key === null ? null : first.id }),
    candidates: (hashed) => keys.map(({ key }) => digestUnder(key, hashed)),
  };
}

function digestUnder(key: Uint8Array | null, hashed: string): string {
  return key === null ? latin1ToHex(hashed) : latin1ToHex(bytesToLatin1(hmac(sha256, key, asciiBytes(hashed))));
}

/** Hexadecimal digits to the form of {@link Hash}. */
export function hexToLatin1(hex: string): string {
  let text = '';
  for (let i = 0; i < hex.length; i += 2) text += String.fromCharCode(Number.parseInt(hex.slice(i, i + 2), 16));
  return text;
}

function latin1ToHex(text: string): string {
  let hex = '';
  for (let i = 0; i < text.length; i++) hex += HEX[text.charCodeAt(i)];
  return hex;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** One byte for each ASCII character. Other text is not a token: it gets two bytes for each character, which no token has. */
function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  let codes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    codes |= code;
    bytes[i] = code;
  }
  if (codes < 128) return bytes;
  return Uint8Array.from({ length: 2 * text.length }, (_, i) => text.charCodeAt(i >> 1) >> (i & 1 ? 0 : 8));
}

/** One byte for each character. */
function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Bytes in the form of {@link Hash}. */
export function bytesToLatin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
