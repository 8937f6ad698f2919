import { check } from '../../base/check.js';
import type { Route } from '../routes/route.js';
import { fieldsOf, readForm, readJson, readSent, type Sent } from './body.js';
import { Problem } from './problem.js';
import { decoded } from './router.js';

/** The parameters that are whole numbers. In a query they are texts. */
const NUMBERS: ReadonlySet<string> = new Set(['start', 'count']);
const CREDENTIAL_NAMES = /^(access_?token|api_?token|api_?key|token|authorization|x-yatai-api-token)$/i;

/**
 * Refuses a token in the address (RFC 6750 section 2.3, RFC 9700 section 4.3.2), because every server on the way logs it.
 *
 * @throws Problem 400
 */
export function assertNoTokenInUrl(url: URL, token: RegExp): void {
  const named = [...url.searchParams.keys()].some((name) => CREDENTIAL_NAMES.test(name));
  if (!named && !textsOf(url).some((text) => token.test(text))) return;
  throw new Problem(
    400,
    'token_in_url',
    'Do not send a token in an address, because addresses are logged: revoke it, and send a new one in Authorization.',
  );
}

/** The decoded texts of an address: a reader of logs can decode them too. */
function textsOf({ pathname, searchParams }: URL): readonly string[] {
  return [...pathname.split('/').map((segment) => decoded(segment) ?? segment), ...[...searchParams].flat()];
}

/** @throws Problem 400; PosternError `input_invalid`, `option_unknown` */
export function readQuery({ query }: Route, url: URL): unknown {
  const fields: Record<string, unknown> = { ...fieldsOf(url.searchParams, 'query') };
  for (const name of Object.keys(fields)) {
    const value = fields[name] as string;
    if (NUMBERS.has(name) && /^\d{1,10}$/.test(value)) fields[name] = Number(value);
  }
  if (query !== undefined) return check(query, fields, 'the query', 'input_invalid');
  const stranger = Object.keys(fields)[0];
  if (stranger === undefined) return {};
  throw new Problem(400, 'option_unknown', 'This call takes no query: leave it out.');
}

/** What was sent, unread where the route takes none. @throws Problem 400, 413 */
export async function readBody(route: Route, request: Request): Promise<Sent | null> {
  return route.form === undefined && route.body === undefined ? null : readSent(request);
}

/** @throws Problem 400, 415; PosternError `input_invalid`, `option_unknown` */
export function readInput(route: Route, sent: Sent | null): unknown {
  if (sent === null) return undefined;
  if (route.form !== undefined) return check(route.form, readForm(sent), 'the form', 'input_invalid');
  return check(route.body, readJson(sent), 'the body', 'input_invalid');
}
