/**
 * Those of some scopes that a token has in its claim `scope` (RFC 9068 section 2.2.3: a space between them) or `scp` (a text or
 * a list, as some providers have it). For the `principal` option of `trustedIssuer`: providers have scopes of their own in it
 * (`openid`), which are none of the application's.
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
