/** What a transport found of a credential: one token, none, or what is no single one. */
export interface CredentialFields {
  readonly token: string | null;
  readonly malformed: boolean;
  /** Of a call that goes on, and is asked about again. Each field is always there: none is looked for in a prototype. */
  readonly recheck: boolean;
}

export const MISSING: CredentialFields = Object.freeze({ token: null, malformed: false, recheck: false });
export const MALFORMED: CredentialFields = Object.freeze({ token: null, malformed: true, recheck: false });

const SCHEME = 'bearer';
/** RFC 9110 allows any number of spaces after the scheme; nobody sends more than one. */
const MAX_SPACES = 16;
/** The longest credential that is looked at, in bytes. */
const MAX_LENGTH = 8192;

/**
 * Reads the value of an `Authorization` header (RFC 6750 section 2.1). The scheme is compared without case (RFC 9110
 * section 11.1). Another scheme is no credential of ours (RFC 6750 section 3.1); `Bearer` without exactly one token,
 * a list, or more than one header is malformed: never "the first one wins".
 *
 * @param duplicated whether the header came more than once
 */
export function readBearer(value: string | undefined, duplicated: boolean): CredentialFields {
  if (duplicated) return MALFORMED;
  if (value === undefined || value === '') return MISSING;
  if (!isBearer(value)) return mentionsBearer(value) ? MALFORMED : MISSING;
  let start = SCHEME.length;
  while (start < SCHEME.length + MAX_SPACES && value.charCodeAt(start) === 0x20) start++;
  // Without a space after the scheme there is no token, or a control character where the space should be.
  return start === SCHEME.length ? MALFORMED : readToken(value.slice(start));
}

/** Reads a header that holds the raw token. `authorization`: whether an `Authorization` header came as well. */
export function readRawToken(value: string | undefined, duplicated: boolean, authorization: boolean): CredentialFields {
  if (duplicated || (authorization && value !== undefined)) return MALFORMED;
  if (value === undefined || value === '') return MISSING;
  return readToken(value);
}

/** One token: no white space, no comma, not too long. The runtime's own search is what makes a long refusal cheap. */
function readToken(text: string): CredentialFields {
  if (text.length === 0 || text.length > MAX_LENGTH) return MALFORMED;
  if (text.indexOf(' ') >= 0 || text.indexOf(',') >= 0 || text.indexOf('\t') >= 0) return MALFORMED;
  return { token: text, malformed: false, recheck: false };
}

/** `Bearer` alone, or followed by something that is not part of the scheme's name. */
function isBearer(value: string): boolean {
  const next = value.charCodeAt(SCHEME.length);
  const ends = value.length === SCHEME.length || next === 0x20 || next === 0x09 || next === 0x2c;
  return ends && value.slice(0, SCHEME.length).toLowerCase() === SCHEME;
}

/**
 * A list whose first credential is of another scheme: `Basic …, Bearer …` is two credentials in one header. The runtime's
 * own search finds the word, and only what stands around it is looked at: a long refusal stays cheap.
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
