/** Readers of columns. Each throws for a missing column: a misspelled one must not mean "never expires" or "enabled". */

/** `null`: never. A text without a zone is UTC. Numbers are epoch milliseconds. */
export function dateOf(value: string | number | null | undefined, column: string): Date | null {
  if (value === null) return null;
  const hasZone = typeof value === 'string' && /(Z|[+-]\d\d:?\d\d)$/.test(value);
  const date = new Date(typeof value === 'string' && !hasZone ? `${value.replace(' ', 'T')}Z` : (value ?? Number.NaN));
  if (Number.isNaN(date.getTime())) throw new Error(`${column} is not a date`);
  return date;
}

/** Databases export booleans as `true`, or as 1. */
export function flagOf(value: boolean | number | undefined, column: string): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  throw new Error(`${column} is neither true nor false`);
}

/** A SHA-256 digest in base64 or base64url, as hexadecimal. */
export function hexOf(digest: string, encoding: 'base64' | 'base64url'): string {
  const bytes = Buffer.from(digest, encoding);
  // `Buffer.from` skips the characters that it does not know.
  if (bytes.length !== 32 || bytes.toString(encoding) !== digest) throw new Error(`no SHA-256 digest in ${encoding}`);
  return bytes.toString('hex');
}
