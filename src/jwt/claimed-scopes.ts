/**
 * Filters a list of scopes: keeps those that a token has in its claim `scope` (RFC 9068 section 2.2.3, separated by spaces) or
 * `scp` (a text or a list, as some providers write it). For the `principal` option of `trustedIssuer`. It drops scopes of the
 * provider's own, such as `openid`.
 */
export function claimedScopes<Scope extends string>(
  claims: Readonly<Record<string, unknown>>,
  among: readonly Scope[],
): Scope[] {
  const claimed = new Set([...words(claims.scope), ...words(claims.scp)]);
  return among.filter((scope) => claimed.has(scope));
}

function words(value: unknown): readonly unknown[] {
  if (typeof value === 'string') return value.split(' ');
  return Array.isArray(value) ? value : [];
}
