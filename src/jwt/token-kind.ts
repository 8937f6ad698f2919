import type { CompactJws } from './compact.js';

/** Claims that only an ID token has (OpenID Connect Core 1.0 sections 2 and 3.3.2.11), or a security event (RFC 8417 section 2.2). */
const OTHERS_CLAIMS = ['at_hash', 'c_hash', 's_hash', 'events', 'toe'];

/** What Keycloak says in a claim `typ` of the tokens that are not for resource servers. */
const OTHERS_TYP = ['id', 'refresh', 'offline', 'logout'];

/**
 * Whether a token may be an access token, as far as that can be told. RFC 9068 says it in the header; elsewhere the `typ` is
 * `JWT` or missing, and what is not an access token is known by what it holds: an ID token has the client as its audience and
 * would not come this far, but for a client and an API of one name.
 *
 * @param types the media types that are accepted, in lower case; a token without a `typ` counts as `jwt`
 */
export function isAccessToken({ typ, payload }: CompactJws, types: readonly string[]): boolean {
  const type = typ ?? 'jwt';
  if (!types.includes(type)) return false;
  if (type !== 'jwt') return true;
  const { token_use: use, typ: kind } = payload;
  // Amazon Cognito's own.
  if (use !== undefined && use !== 'access') return false;
  if (typeof kind === 'string' && OTHERS_TYP.includes(kind.toLowerCase())) return false;
  // Keycloak says `Bearer` in a claim of its access tokens, and those of its older versions have the `nonce` of the login.
  if (payload.nonce !== undefined && kind !== 'Bearer') return false;
  return !OTHERS_CLAIMS.some((name) => payload[name] !== undefined);
}
