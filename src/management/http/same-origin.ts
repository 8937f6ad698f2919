import { Problem } from './problem.js';

/**
 * Refuses a change that another site's page makes its visitor's browser ask for. Browsers say where a request comes from,
 * and no page can change what they say: `Sec-Fetch-Site` (Fetch Metadata), or where that is not sent `Origin` (RFC 6454
 * section 7). What has neither is refused.
 *
 * @throws Problem 403
 */
export function assertSameOrigin({ headers }: Request, origin: string): void {
  const site = headers.get('sec-fetch-site');
  if (site === null ? headers.get('origin') === origin : site === 'same-origin') return;
  throw new Problem(
    403,
    'origin_mismatch',
    'This change was not asked for by a page of this server: use the console, or send a token in Authorization.',
  );
}
