import { MAX_TOKEN_LENGTH } from '../domain/token-format.js';
import type { GuardAttempt } from '../instance/internals.js';
import type { Proof } from '../ports/authenticator.js';

/** The part of an attempt that a transport reads from a request. All fields are set, so none is read from a prototype. */
export type Presented = Required<Pick<GuardAttempt, 'token' | 'malformed' | 'proof'>>;

export const MISSING: Presented = Object.freeze({ token: null, malformed: false, proof: null });
export const MALFORMED: Presented = Object.freeze({ token: null, malformed: true, proof: null });

const SCHEME = 'bearer';
const DPOP_SCHEME = 'dpop';
/** RFC 9110 allows any number of spaces after the scheme; nobody sends more than one. */
const MAX_SPACES = 16;

/**
 * Reads the value of an `Authorization` header (RFC 6750 section 2.1). The scheme is compared without case (RFC 9110
 * section 11.1). Another scheme counts as no credential (RFC 6750 section 3.1). `Bearer` without exactly one token, a list,
 * and several headers are malformed: the first one never wins.
 *
 * @param value several headers are joined with a comma, as `Headers` does
 * @param proofOf reads the proof beside a token of the scheme `DPoP`. Without it, `DPoP` counts as another scheme
 */
export function readBearer(value: string | undefined, proofOf?: () => Proof): Presented {
  if (value === undefined || value === '') return MISSING;
  if (isOf(SCHEME, value)) return readAfter(SCHEME, value);
  if (proofOf !== undefined && isOf(DPOP_SCHEME, value)) {
    const credential = readAfter(DPOP_SCHEME, value);
    return credential.malformed ? credential : { ...credential, proof: proofOf() };
  }
  return mentionsBearer(value) ? MALFORMED : MISSING;
}

function readAfter(scheme: string, value: string): Presented {
  let start = scheme.length;
  while (start < scheme.length + MAX_SPACES && value.charCodeAt(start) === 0x20) start++;
  // No space after the scheme: either no token follows, or a control character stands in its place.
  return start === scheme.length ? MALFORMED : readToken(value.slice(start));
}

/** The proof of a request. Several, which runtimes join with a comma, count as none (RFC 9449 section 4.3, check 1). */
export function readProof(value: string | undefined, target: string): Proof {
  return { jwt: value === undefined || value.indexOf(',') >= 0 ? null : value, target };
}

/** The places of a request that may hold its credential. */
export interface Places {
  /** Whether `Authorization` is one of them. */
  readonly authorization: boolean;
  /** Headers with a raw token, in lower case. */
  readonly headers: readonly string[];
  /** Whether an `Authorization` without a credential of ours may come beside a raw token: the platform has it for itself. */
  readonly ignoresOther: boolean;
}

export const AUTHORIZATION: Places = Object.freeze({ authorization: true, headers: [], ignoresOther: false });

/**
 * Reads the one credential of a request, wherever it is. Credentials in two places are malformed, like two in one place.
 *
 * @param headerOf the value of a header, by its name in lower case
 * @param proofOf as in {@link readBearer}
 */
export function readPlaces(
  { authorization, headers, ignoresOther }: Places,
  headerOf: (name: string) => string | undefined,
  proofOf?: () => Proof,
): Presented {
  const value = headerOf('authorization');
  let found = authorization ? readBearer(value, proofOf) : MISSING;
  for (const name of headers) {
    const raw = headerOf(name);
    if (raw === undefined) continue;
    const isAlone = found === MISSING && (value === undefined || ignoresOther);
    if (!isAlone) return MALFORMED;
    if (raw !== '') found = readToken(raw);
  }
  return found;
}

/** One token: no white space, no comma, not too long. `indexOf` keeps the refusal of a long header cheap. */
function readToken(text: string): Presented {
  if (text.length === 0 || text.length > MAX_TOKEN_LENGTH) return MALFORMED;
  if (text.indexOf(' ') >= 0 || text.indexOf(',') >= 0 || text.indexOf('\t') >= 0) return MALFORMED;
  return { token: text, malformed: false, proof: null };
}

/** Whether the header is of this scheme: the name alone, or followed by a space, a tab or a comma. */
function isOf(scheme: string, value: string): boolean {
  const next = value.charCodeAt(scheme.length);
  const ends = value.length === scheme.length || next === 0x20 || next === 0x09 || next === 0x2c;
  return ends && value.slice(0, scheme.length).toLowerCase() === scheme;
}

/**
 * Whether `Bearer` follows later in a list: `Basic …, Bearer …` is two credentials in one header. `indexOf` finds the word and
 * only its neighbours are read, so the refusal of a long header stays cheap.
 */
function mentionsBearer(value: string): boolean {
  if (value.indexOf(',') < 0) return false;
  const text = value.toLowerCase();
  for (let at = text.indexOf(SCHEME); at >= 0; at = text.indexOf(SCHEME, at + SCHEME.length)) {
    let before = at - 1;
    while (before >= 0 && isBlank(text.charCodeAt(before))) before--;
    const next = text.charCodeAt(at + SCHEME.length);
    const ends = at + SCHEME.length === text.length || isBlank(next) || next === COMMA;
    if (ends && before >= 0 && text.charCodeAt(before) === COMMA) return true;
  }
  return false;
}

const COMMA = 0x2c;

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
