import { PosternError } from '../domain/errors.js';
import { isTrusted, KeyServerFault, parseUrl, trustedUrl } from './fetch-json.js';

/**
 * Where an issuer says who it is (OpenID Connect Discovery 1.0 section 4).
 *
 * @throws PosternError `option_invalid` for an issuer that is no address, or has a query
 */
export function discoveryUrl(issuer: string, insecure = false): URL {
  const url = trustedUrl(issuer, 'issuer', insecure);
  if (url.search !== '') {
    throw new PosternError('option_invalid', 'has a query: name its keys with jwks', { path: 'issuer' });
  }
  // By the text, not by the parsed address: that one has a slash more after a bare host.
  return new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
}

/**
 * The address of the keys in an issuer's metadata.
 *
 * @throws KeyServerFault where the document is another issuer's (section 4.3: exactly the same), or names no address that can
 * be trusted: an issuer behind https has its keys behind https
 */
export function keysIn(document: unknown, issuer: string, insecure = false): URL {
  const { issuer: named, jwks_uri } = Object.assign(Object.create(null), document) as Record<string, unknown>;
  if (named !== issuer) throw new KeyServerFault(`the metadata of ${issuer} names another issuer: correct the option`);
  const url = typeof jwks_uri === 'string' ? parseUrl(jwks_uri) : null;
  const secure = url?.protocol === 'https:' || issuer.startsWith('http:') || insecure;
  if (url === null || !isTrusted(url, insecure) || !secure)
    throw new KeyServerFault(`the metadata of ${issuer} has no jwks_uri behind https`);
  return url;
}
