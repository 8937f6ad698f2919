import { PosternError } from '../domain/errors.js';
import { isTrusted, KeyServerFault, parseUrl, trustedUrl } from './fetch-json.js';

/**
 * The address of an issuer's metadata (OpenID Connect Discovery 1.0 section 4).
 *
 * @throws PosternError `option_invalid` if the issuer is no address, or has a query
 */
export function discoveryUrl(issuer: string, insecure = false): URL {
  const url = trustedUrl(issuer, 'issuer', insecure);
  if (url.search !== '') {
    throw new PosternError(
      'option_invalid',
      'has a query, so its metadata can not be found: give the address of its keys in jwks',
      { path: 'issuer' },
    );
  }
  // From the text, because the parsed address adds a slash after a bare host.
  return new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
}

/**
 * The address of the keys in an issuer's metadata.
 *
 * @throws KeyServerFault if the document names another issuer (section 4.3: they must be exactly the same), or no trusted
 *   address: the keys of an issuer behind https must be behind https too
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
