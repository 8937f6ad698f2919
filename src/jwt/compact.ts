import { nativeBase64url } from '../base/runtime.js';
import { MAX_TOKEN_LENGTH } from '../domain/token-format.js';
import { isAlgorithm, type SignatureAlgorithm, signatureLength } from './algorithms.js';

/** The parts of a compact JWS (RFC 7515 section 7.1) with a JSON object inside. Nothing in it is verified. */
export interface CompactJws {
  /** The whole token. Its signature is made over everything before the last dot. */
  readonly token: string;
  readonly header: Readonly<Record<string, unknown>> & { readonly alg: SignatureAlgorithm };
  readonly payload: Readonly<Record<string, unknown>>;
  /** The `kid` as sent: an opaque name, only to be compared. `null`: none. */
  readonly kid: string | null;
  /** The media type of `typ`, in lower case and without `application/` (RFC 7515 section 4.1.9). `null`: none. */
  readonly typ: string | null;
}

export interface CompactOptions {
  /** Whether the header may hold a key. A proof of possession must have one (RFC 9449 section 4.2). Default `false`. */
  readonly allowJwk?: boolean;
}

const MAX_KID_LENGTH = 512;
const LEAST_RSA_SIGNATURE = 256;

/** Three parts of base64url. Linear time: no class contains the dot, so there is no backtracking. */
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Header parameters that would change the input or the key of the verification: extensions (`crit`, `b64`: RFC 7797), keys from
 * the token itself, and encryption.
 */
const REFUSED = ['crit', 'b64', 'jku', 'x5u', 'x5c', 'enc', 'zip'] as const;

/**
 * Splits and decodes a signed token. It is stricter than most libraries: at most 8 KiB, exactly three parts, canonical
 * base64url (no padding, no white space, no unused bits, so each token has one spelling), UTF-8, JSON objects without duplicate
 * members, a known asymmetric algorithm with a signature of its length, no key from the token. Never throws.
 *
 * @returns `null` for anything else
 */
export function readCompact(token: string, { allowJwk = false }: CompactOptions = {}): CompactJws | null {
  if (lastRead !== null && lastRead.token === token && lastRead.allowJwk === allowJwk) return lastRead.jws;
  const jws = read(token, allowJwk);
  if (lastRead === null) queueMicrotask(forget);
  lastRead = { token, allowJwk, jws };
  return jws;
}

/**
 * The last token read in this turn of the event loop: several authenticators look at the same token in one turn. It is dropped
 * after the turn, so no token is kept, and none is compared with another caller's (the time of which would leak its letters).
 */
let lastRead: { readonly token: string; readonly allowJwk: boolean; readonly jws: CompactJws | null } | null = null;

function forget(): void {
  lastRead = null;
}

function read(token: string, allowJwk: boolean): CompactJws | null {
  if (typeof token !== 'string' || token.length > MAX_TOKEN_LENGTH || !FORM.test(token)) return null;
  const first = token.indexOf('.');
  const second = token.indexOf('.', first + 1);
  const header = readObject(token.slice(0, first));
  if (header === null) return null;
  const { alg, kid, typ } = header;
  if (!isAlgorithm(alg) || !isSignature(alg, token, second + 1)) return null;
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH)) return null;
  if (typ !== undefined && typeof typ !== 'string') return null;
  if (header.jwk !== undefined && !allowJwk) return null;
  if (REFUSED.some((name) => header[name] !== undefined)) return null;
  const payload = readObject(token.slice(first + 1, second));
  if (payload === null) return null;
  return {
    token,
    header: header as CompactJws['header'],
    payload,
    kid: kid === undefined ? null : kid,
    typ: typ === undefined ? null : mediaType(typ),
  };
}

/** A `typ` in lower case, without `application/` (RFC 7515 section 4.1.9). */
export function mediaType(typ: string): string {
  const lower = typ.toLowerCase();
  return lower.startsWith('application/') ? lower.slice('application/'.length) : lower;
}

function isSignature(alg: SignatureAlgorithm, token: string, from: number): boolean {
  if (!isCanonical(token, from, token.length)) return false;
  const bytes = Math.floor(((token.length - from) * 3) / 4);
  const length = signatureLength(alg);
  return length === null ? bytes >= LEAST_RSA_SIGNATURE : bytes === length;
}

/** A JSON object from base64url, without a prototype: a polluted `Object.prototype` adds nothing to it. */
function readObject(part: string): Record<string, unknown> | null {
  if (!isCanonical(part, 0, part.length)) return null;
  try {
    const text = decode(part);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    // Of two members with one name, each parser may believe another one (RFC 7515 section 4, RFC 7519 section 4).
    if (countMembers(text) !== Object.keys(value).length) return null;
    return Object.assign(Object.create(null), value);
  } catch {
    return null;
  }
}

/**
 * Whether base64url is the canonical spelling of its bytes: no single character left over, and the unused bits of the last one
 * are zero (RFC 4648 section 3.5). The same as encoding again and comparing.
 */
function isCanonical(text: string, from: number, to: number): boolean {
  const rest = (to - from) % 4;
  if (rest === 0) return true;
  if (rest === 1) return false;
  return (rest === 2 ? ENDS_OF_ONE_BYTE : ENDS_OF_TWO_BYTES).includes(text.charAt(to - 1));
}

const ENDS_OF_ONE_BYTE = 'AQgw';
const ENDS_OF_TWO_BYTES = 'AEIMQUYcgkosw048';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The bytes of canonical base64url, one character each. */
const toBinary = nativeBase64url() ?? ((part: string) => atob(part.replaceAll('-', '+').replaceAll('_', '/')));

function decode(part: string): string {
  const binary = toBinary(part);
  // ASCII is its own UTF-8, and nearly every token is ASCII.
  if (/^[\0-\x7f]*$/.test(binary)) return binary;
  return utf8.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** The number of members of the outermost object of a valid JSON text, duplicates counted. */
function countMembers(json: string): number {
  let depth = 0;
  let members = 0;
  for (let at = 0; at < json.length; at++) {
    switch (json.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(json, at);
        break;
      case COLON:
        if (depth === 1) members++;
        break;
      case OPEN_BRACE:
      case OPEN_BRACKET:
        depth++;
        break;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        depth--;
    }
  }
  return members;
}

function endOfString(json: string, from: number): number {
  let end = json.indexOf('"', from + 1);
  while (isEscaped(json, end)) end = json.indexOf('"', end + 1);
  return end;
}

function isEscaped(json: string, at: number): boolean {
  let backslashes = 0;
  while (json.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

const QUOTE = 0x22;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const BACKSLASH = 0x5c;
