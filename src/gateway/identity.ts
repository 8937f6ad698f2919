import type { Principal } from '../domain/principal.js';
import type { Heard } from './heard.js';

/** The header with the signed identity. */
export const HOP_HEADER = 'Postern-Identity';

/** The plain identity: a service may trust it only if nobody but the proxy can reach it. */
const PLAIN: readonly (readonly [name: string, read: (principal: Principal) => string])[] = [
  ['X-Postern-Token', ({ tokenId }) => tokenId],
  ['X-Postern-Owner', ({ owner }) => owner ?? ''],
  ['X-Postern-Organization', ({ organization }) => organization],
  ['X-Postern-Types', ({ types }) => Object.keys(types).join(',')],
];

/** Every header that tells a service who calls. */
export const IDENTITY_HEADERS: readonly string[] = [HOP_HEADER, ...PLAIN.map(([name]) => name)];

/**
 * All identity headers, empty for nobody: a proxy replaces those that it gets, and a header that it does not get could be the
 * caller's own.
 *
 * @param hop the signed identity, or `''`
 */
export function identityHeaders(principal: Principal | null, hop: string): Record<string, string> {
  const headers: Record<string, string> = { [HOP_HEADER]: hop };
  for (const [name, read] of PLAIN) headers[name] = principal === null ? '' : visible(read(principal));
  return headers;
}

/** Text that a header can hold: anything but visible ASCII is percent-encoded, and `%` itself. */
function visible(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}

const NAMES = new Set(IDENTITY_HEADERS.map((name) => name.toLowerCase()));
const LENGTHS = new Set(IDENTITY_HEADERS.map(({ length }) => length));

/**
 * The headers of a caller that a service may read as an identity header, though a proxy does not: with `_`, `.` or
 * another sign in place of a hyphen. CGI, WSGI and PHP can't tell them apart.
 */
export function aliasesIn(headers: Heard): string[] {
  const aliases: string[] = [];
  for (const name of headers.keys()) {
    // One sign stands for another, so an alias is as long as its name.
    if (LENGTHS.has(name.length) && !NAMES.has(name) && NAMES.has(name.replace(/[^a-z0-9]/g, '-'))) aliases.push(name);
  }
  return aliases;
}
