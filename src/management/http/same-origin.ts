import { Problem } from './problem.js';

/**
 * Refuses a change that a page of another site makes its visitor's browser request. Browsers name the source of a request in a header
 * that no page can change: `Sec-Fetch-Site` (Fetch Metadata), or else `Origin` (RFC 6454 section 7). A request with neither
 * is refused.
 *
 * @throws Problem 403
 */
export function assertSameOrigin({ headers }: Request, origin: string): void {
  const site = headers.get('sec-fetch-site');
  if (site === null ? headers.get('origin') === origin : site === 'same-origin') return;
  throw new Problem(
    403,
    'origin_mismatch',
    'This change did not come from a page of this server: use the console, or send a token in Authorization.',
  );
}
