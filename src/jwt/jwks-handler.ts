import { sha256 } from '@noble/hashes/sha2.js';
import { encodeBase64url } from '../domain/base64url.js';
import type { PublishedKeySet } from './keys.js';
import { utf8 } from './utf8.js';

/** Seconds. */
const RETRY_AFTER = '5';

/**
 * Answers for `/.well-known/jwks.json`: the public keys with a `max-age` and an `ETag` (RFC 9110 section 8.8.3). The keys are
 * public, so scripts of every origin may read them.
 *
 * @param maxAge seconds
 */
export function jwksHandler(
  read: () => Promise<PublishedKeySet>,
  maxAge: () => number,
): (request: Request) => Promise<Response> {
  return async ({ method, headers }) => {
    if (method !== 'GET' && method !== 'HEAD')
      return new Response(null, { status: 405, headers: { Allow: 'GET, HEAD' } });
    let body: string;
    try {
      body = JSON.stringify(await read());
    } catch {
      return new Response(null, { status: 503, headers: { 'Retry-After': RETRY_AFTER, 'Cache-Control': 'no-store' } });
    }
    const etag = `"${encodeBase64url(sha256(utf8(body))).slice(0, 22)}"`;
    const validators = {
      ETag: etag,
      'Cache-Control': `public, max-age=${maxAge()}`,
      'Access-Control-Allow-Origin': '*',
    };
    if (isKnown(headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers: validators });
    // RFC 7517 section 8.5.2.
    const all = { ...validators, 'Content-Type': 'application/jwk-set+json' };
    return new Response(method === 'HEAD' ? null : body, { headers: all });
  };
}

/** Compared weakly (RFC 9110 section 13.1.2). */
function isKnown(ifNoneMatch: string | null, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}
