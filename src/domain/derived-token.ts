import { decodeBase64url } from './base64url.js';
import { DERIVED_HEAD } from './derived-head.js';
import { isEndpointId } from './endpoint.js';
import type { Narrowing } from './narrow.js';

/**
 * A derived token is a JWT (RFC 7519) in compact form whose header is, byte for byte,
 * `{"alg":"EdDSA","typ":"derived+jwt","kid":"<thumbprint>"}`. Nothing in it can be negotiated, and its beginning alone tells
 * it apart. `kid` is the RFC 7638 thumbprint of an Ed25519 key that is derived from an API token.
 *
 * | claim | content |
 * | --- | --- |
 * | `jti` | 16 random bytes, base64url |
 * | `iat`, `exp` | seconds; both required |
 * | `scope` | scopes, a space between them (RFC 6749 section 3.3) |
 * | `endpoints` | a list of endpoint ids, or `"*"` for every endpoint that the parent reaches |
 * | `methods` | the only HTTP methods, or gRPC methods by their full names |
 *
 * Without `scope` and `endpoints` it asks for everything that its parent holds. With only one of them, it asks for nothing of
 * the other.
 */
export interface DerivedToken {
  /** 43 characters. */
  readonly kid: string;
  readonly narrowing: Narrowing;
  readonly methods: readonly string[] | null;
  /** Epoch milliseconds. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The text that was signed: header, dot, payload. */
  readonly signed: string;
  /** 64 bytes. */
  readonly signature: Uint8Array;
}

const KID_WIDTH = 43;
const HEAD = '{"alg":"EdDSA","typ":"derived+jwt","kid":"';
/** In characters: head, `kid` and `"}`, with 4 characters for 3 bytes. */
const HEADER_WIDTH = ((HEAD.length + KID_WIDTH + 2) / 3) * 4;
const SIGNATURE_BYTES = 64;
/** The last second of a `Date`. */
const LAST_SECOND = 8.64e12;

const CLAIMS = ['jti', 'iat', 'exp', 'scope', 'endpoints', 'methods'];
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]{1,120}$/;
const METHOD = /^[\x21-\x7e]{1,200}$/;
const MOST = 1_000;

/** The protected header for a key. */
export function derivedHeader(kid: string): { readonly alg: 'EdDSA'; readonly typ: string; readonly kid: string } {
  return { alg: 'EdDSA', typ: 'derived+jwt', kid };
}

/** Parses a derived token without verifying it; `null` for anything else. */
export function readDerivedToken(token: string): DerivedToken | null {
  const headerEnd = HEADER_WIDTH;
  const payloadEnd = token.indexOf('.', headerEnd + 1);
  if (!token.startsWith(DERIVED_HEAD) || token[headerEnd] !== '.' || payloadEnd < 0) return null;
  const header = decodeText(token.slice(0, headerEnd));
  const kid = header?.slice(HEAD.length, HEAD.length + KID_WIDTH) ?? '';
  if (header !== `${HEAD}${kid}"}` || decodeBase64url(kid)?.length !== 32) return null;
  const signature = decodeBase64url(token.slice(payloadEnd + 1));
  if (signature?.length !== SIGNATURE_BYTES) return null;
  const claims = readObject(decodeText(token.slice(headerEnd + 1, payloadEnd)));
  const read = claims === null ? null : readClaims(claims);
  return read === null ? null : { kid, ...read, signed: token.slice(0, payloadEnd), signature };
}

function readClaims(
  claims: ReadonlyMap<string, unknown>,
): Pick<DerivedToken, 'narrowing' | 'methods' | 'issuedAt' | 'expiresAt'> | null {
  // A claim of a later version may narrow further, so an unknown claim is refused.
  for (const name of claims.keys()) if (!CLAIMS.includes(name)) return null;
  const jti = claims.get('jti');
  const iat = claims.get('iat');
  const exp = claims.get('exp');
  const scope = claims.get('scope') ?? null;
  const endpoints = claims.get('endpoints') ?? null;
  const methods = claims.get('methods') ?? null;
  if (typeof jti !== 'string' || jti === '' || !isSecond(iat) || !isSecond(exp)) return null;
  if (scope !== null && typeof scope !== 'string') return null;
  const scopes = scope === null ? null : scope === '' ? [] : scope.split(' ');
  if (scopes !== null && !isListOf(scopes, (each) => SCOPE_TOKEN.test(each))) return null;
  if (endpoints !== null && endpoints !== '*' && !isListOf(endpoints, isEndpointId)) return null;
  if (methods !== null && !isListOf(methods, (each) => METHOD.test(each))) return null;
  return { narrowing: { scopes, endpoints }, methods, issuedAt: iat * 1000, expiresAt: exp * 1000 };
}

function isSecond(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= LAST_SECOND;
}

function isListOf(value: unknown, fits: (each: string) => boolean): value is readonly string[] {
  return Array.isArray(value) && value.length <= MOST && value.every((each) => typeof each === 'string' && fits(each));
}

/** The members of a JSON object, as a map: it can't inherit members from a prototype. */
function readObject(text: string | null): ReadonlyMap<string, unknown> | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? new Map(Object.entries(value)) : null;
  } catch {
    return null;
  }
}

/** Text that isn't ASCII is refused: a derived token holds none. */
function decodeText(part: string): string | null {
  const bytes = decodeBase64url(part);
  if (bytes === null) return null;
  let text = '';
  for (const byte of bytes) {
    if (byte > 0x7e) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

export function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
