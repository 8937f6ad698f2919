import { MAX_TOKEN_LENGTH } from '../domain/token-format.js';
import { isAlgorithm, type SignatureAlgorithm, signatureLength } from './algorithms.js';

/** A compact JWS (RFC 7515 section 7.1) with a JSON object inside, taken apart. Nothing of it is verified. */
export interface CompactJws {
  readonly header: Readonly<Record<string, unknown>> & { readonly alg: SignatureAlgorithm };
  readonly payload: Readonly<Record<string, unknown>>;
  /** The `kid` as it came: an opaque name, good for comparing and nothing else. `null`: none. */
  readonly kid: string | null;
  /** The media type of `typ`, in lower case and without `application/` (RFC 7515 section 4.1.9). `null`: none. */
  readonly typ: string | null;
}

export interface CompactOptions {
  /** Whether the header may hold a key: in a proof of possession it must (RFC 9449 section 4.2). Default: it may not. */
  readonly allowJwk?: boolean;
}

const MAX_KID_LENGTH = 512;
const LEAST_RSA_SIGNATURE = 256;

/** Three parts of base64url. Linear: a dot is in none of the classes, so nothing is ever tried twice. */
const FORM = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Header parameters that would change what is verified, or with what: extensions (`crit`, `b64`: RFC 7797), keys that the
 * token brings along, and encryption.
 */
const REFUSED = ['crit', 'b64', 'jku', 'x5u', 'x5c', 'enc', 'zip'] as const;

/**
 * Takes a signed token apart. Strict where libraries are lenient: at most 8 KiB, exactly three parts, canonical base64url (no
 * padding, no white space, no bits that nothing is read from: each token has one spelling), UTF-8, JSON objects without a
 * member twice, a known asymmetric algorithm with a signature of its length, no key from the token. Never throws.
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
 * Whose a token is, by several authenticators, and what one of them says of it, are asked in one turn of the event loop, and
 * need it read once. Not a turn longer: no token is kept, and none is ever compared with another caller's (whose letters the
 * time of that would tell).
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
    header: header as CompactJws['header'],
    payload,
    kid: kid === undefined ? null : kid,
    typ: typ === undefined ? null : mediaType(typ),
  };
}

/** RFC 7515 section 4.1.9: compared without case, and `application/` may be left out. */
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

/** A JSON object from base64url, without a prototype: what it does not say, a polluted `Object.prototype` does not add. */
function readObject(part: string): Record<string, unknown> | null {
  if (!isCanonical(part, 0, part.length)) return null;
  try {
    const text = decode(part);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    // RFC 7515 section 4, RFC 7519 section 4: two parsers may each believe another one of two members of one name.
    if (countMembers(text) !== Object.keys(value).length) return null;
    return Object.assign(Object.create(null), value);
  } catch {
    return null;
  }
}

/**
 * Whether base64url of the right alphabet is the one spelling of its bytes: no single character left over, and the bits of
 * the last one that no byte is made of are zero (RFC 4648 section 3.5). The same as to encode again and compare.
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

function decode(part: string): string {
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'));
  // ASCII is its own UTF-8, and nearly every token is ASCII.
  if (/^[\0-\x7f]*$/.test(binary)) return binary;
  return utf8.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** How many members the outermost object of a valid JSON text has, those of one name each counted. */
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
