import type { CompactJws } from './compact.js';

/** Claims of ID tokens (OpenID Connect Core 1.0 sections 2 and 3.3.2.11) and security events (RFC 8417 section 2.2) only. */
const OTHERS_CLAIMS = ['at_hash', 'c_hash', 's_hash', 'events', 'toe'];

/** Keycloak's values of a claim `typ` in tokens that are not for resource servers. */
const OTHERS_TYP = ['id', 'refresh', 'offline', 'logout'];

/**
 * Whether a token may be an access token. With RFC 9068 the header says so. Otherwise the `typ` is `JWT` or missing, and other
 * kinds of token are recognised by their claims. (An ID token has the client as its audience, so it gets here only if a client
 * and an API share a name.)
 *
 * @param types the accepted media types, in lower case; a token without a `typ` counts as `jwt`
 */
export function isAccessToken({ typ, payload }: CompactJws, types: readonly string[]): boolean {
  const type = typ ?? 'jwt';
  if (!types.includes(type)) return false;
  if (type !== 'jwt') return true;
  const { token_use: use, typ: kind } = payload;
  // A claim of Amazon Cognito.
  if (use !== undefined && use !== 'access') return false;
  if (typeof kind === 'string' && OTHERS_TYP.includes(kind.toLowerCase())) return false;
  // Keycloak says `Bearer` in a claim of its access tokens, and those of its older versions have the `nonce` of the login.
  if (payload.nonce !== undefined && kind !== 'Bearer') return false;
  return !OTHERS_CLAIMS.some((name) => payload[name] !== undefined);
}
