import { BASE62_VALUE, bytesToNumber, encodeBase62 } from './base62.js';
import { CRC_TABLE, crc32, crcState } from './crc32.js';
import { quote } from './text.js';

/** The longest accepted credential of any kind, in bytes. */
export const MAX_TOKEN_LENGTH = 8_192;
/** Random bytes in a token. */
export const SECRET_BYTES = 32;
const SECRET_WIDTH = 43;
const CHECKSUM_WIDTH = 6;
/**
 * Characters that the hint shows at each end. The first four belong to the secret. The last four belong to the checksum, which says
 * 24 bits about the secret; 208 random bits stay unknown.
 */
const HINT_WIDTH = 4;

export const PREFIX_PATTERN = /^[a-z][a-z0-9]{1,15}$/;

/** The length of a token with this prefix. */
export function tokenLength(prefix: string): number {
  return prefix.length + 1 + SECRET_WIDTH + CHECKSUM_WIDTH;
}

/** The problem of an invalid prefix, with advice. */
export function prefixProblem(prefix: unknown): string {
  const rule = 'use 2 to 16 lower-case letters and digits, a letter first';
  if (typeof prefix !== 'string') return rule;
  const fitting = prefix
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '')
    .replace(/^[0-9]+/, '');
  const example = PREFIX_PATTERN.test(fitting) ? `, such as "${fitting}"` : '';
  return `${quote(prefix)} is not a valid prefix: ${rule}${example} (the underscore is added)`;
}

/** The parts of a token that are safe to show. Nobody can use a token with them. */
export interface ParsedToken {
  readonly prefix: string;
  /** The first and the last characters of the token, safe to log and show. */
  readonly hint: string;
}

/** Makes `<prefix>_<43 base62: 32 random bytes><6 base62: CRC-32 of all before it>`. */
export function formatToken(prefix: string, bytes: Uint8Array): string {
  const body = `${prefix}_${encodeBase62(bytesToNumber(bytes), SECRET_WIDTH)}`;
  return body + encodeBase62(BigInt(crc32(body)), CHECKSUM_WIDTH);
}

/** The parts of a token that may be shown: its prefix, its first and its last characters. */
export function hintOf(token: string): string {
  return `${token.slice(0, token.indexOf('_') + 1 + HINT_WIDTH)}…${token.slice(-HINT_WIDTH)}`;
}

/**
 * Reads a string with the form of an API token, checksum included; `null` for anything else. The token may never have been
 * issued. Positions are fixed, so no character inside a token can be mistaken for a separator.
 */
export function parseToken(text: unknown): ParsedToken | null {
  if (typeof text !== 'string') return null;
  const prefix = text.slice(0, text.length - SECRET_WIDTH - CHECKSUM_WIDTH - 1);
  if (!PREFIX_PATTERN.test(prefix) || !tokenForm(prefix)(text)) return null;
  return { prefix, hint: hintOf(text) };
}

/** A regular expression for secret scanners. It finds tokens inside other text. */
export function tokenPattern(prefix = 'pst'): RegExp {
  if (!PREFIX_PATTERN.test(prefix)) throw new TypeError(prefixProblem(prefix));
  return new RegExp(`(?<![0-9A-Za-z_])${prefix}_[0-9A-Za-z]{${SECRET_WIDTH + CHECKSUM_WIDTH}}(?![0-9A-Za-z_])`);
}

/**
 * Makes the check that a string is a token with this prefix. The check runs before every verification, so cheap refusals come
 * first: a wrong length costs one comparison. One pass then reads the alphabet and the checksum together.
 */
export function tokenForm(prefix: string): (text: string) => boolean {
  const head = `${prefix}_`;
  const headCodes = Uint8Array.from(head, (letter) => letter.charCodeAt(0));
  const headState = crcState(head);
  const headEnd = head.length;
  const bodyEnd = headEnd + SECRET_WIDTH;
  const length = tokenLength(prefix);
  return (text) => {
    if (text.length !== length) return false;
    // `startsWith` takes as long as a quarter of the rest.
    for (let i = 0; i < headEnd; i++) if (text.charCodeAt(i) !== headCodes[i]) return false;
    // A constant of this function is read faster than one of the module.
    const values = BASE62_VALUE;
    const table = CRC_TABLE;
    let crc = headState;
    // Becomes negative with a character outside the alphabet or outside ASCII. One test at the end is enough.
    let outside = 0;
    for (let i = headEnd; i < bodyEnd; i++) {
      const code = text.charCodeAt(i);
      outside |= (values[code & 127] as number) | (127 - code);
      crc = (table[(crc ^ code) & 0xff] as number) ^ (crc >>> 8);
    }
    let checksum = 0;
    for (let i = bodyEnd; i < length; i++) {
      const code = text.charCodeAt(i);
      const value = values[code & 127] as number;
      outside |= value | (127 - code);
      checksum = checksum * 62 + value;
    }
    if (outside < 0) return false;
    return checksum === ~crc >>> 0;
  };
}
