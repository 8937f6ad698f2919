import type { Principal } from '../domain/principal.js';

/** The header with the signed identity. */
export const HOP_HEADER = 'Postern-Identity';

/** The plain identity: a service may trust it only if nobody but the proxy can reach it. */
const PLAIN = {
  'X-Postern-Token': ({ tokenId }: Principal) => tokenId,
  'X-Postern-Owner': ({ owner }: Principal) => owner ?? '',
  'X-Postern-Organization': ({ organization }: Principal) => organization,
  'X-Postern-Types': ({ types }: Principal) => Object.keys(types).join(','),
} as const;

/** Every header that tells a service who calls. */
export const IDENTITY_HEADERS: readonly string[] = [HOP_HEADER, ...Object.keys(PLAIN)];

/**
 * All identity headers, empty for nobody: a proxy replaces those that it gets, and a header that it does not get could be the
 * caller's own.
 *
 * @param hop the signed identity, or `''`
 */
export function identityHeaders(principal: Principal | null, hop: string): Record<string, string> {
  const plain = Object.entries(PLAIN).map(([name, read]) => [name, principal === null ? '' : visible(read(principal))]);
  return { [HOP_HEADER]: hop, ...Object.fromEntries(plain) };
}

/** Text that a header can hold: anything but visible ASCII is percent-encoded, and `%` itself. */
function visible(text: string): string {
  return text.replace(/[^\x21-\x24\x26-\x7e]/gu, encodeURIComponent);
}

const NAMES = new Set(IDENTITY_HEADERS.map((name) => name.toLowerCase()));

/**
 * The headers of a caller that a service may read as an identity header, though a proxy does not: with `_`, `.` or
 * another sign in place of a hyphen. CGI, WSGI and PHP can't tell them apart.
 */
export function aliasesIn(headers: Headers): string[] {
  return [...headers.keys()].filter((name) => !NAMES.has(name) && NAMES.has(name.replace(/[^a-z0-9]/g, '-')));
}
