import { readBounded } from '../base/read-bounded.js';
import { after } from '../base/runtime.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';

/** The runtime's `fetch`, or a replacement. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A key server did not answer, or its answer was not usable. This is a fault and says nothing about any token. */
export class KeyServerFault extends Error {
  override readonly name = 'KeyServerFault';
}

/** The most bytes of an answer. */
const MAX_BYTES = 1_048_576;

/**
 * Fetches a JSON document: status 200, JSON in UTF-8 under any media type, at most 1 MiB, within `timeout` milliseconds from
 * the first byte sent to the last one read. Redirects are not followed, because the application chooses the server.
 *
 * @throws KeyServerFault for any other answer, and for none
 */
export async function fetchJson(url: URL, fetch: Fetch, timeout: number): Promise<unknown> {
  const aborting = new AbortController();
  // A replaced `fetch` may ignore the signal. The wait ends anyway.
  const { promise: late, cancel } = lateness(timeout, () => aborting.abort());
  try {
    return await Promise.race([request(url, fetch, aborting.signal), late]);
  } catch (error) {
    // The message repeats neither the address's query nor the server's text.
    const problem = error instanceof Problem ? error.message : 'could not be reached';
    throw new KeyServerFault(`${url.origin}${url.pathname} ${problem}: its keys can not be read`, { cause: error });
  } finally {
    cancel();
  }
}

class Problem extends Error {}

async function request(url: URL, fetch: Fetch, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url.href, { headers: { Accept: 'application/json' }, redirect: 'manual', signal });
  try {
    if (response.status !== 200 || response.redirected) throw new Problem(`answered with status ${response.status}`);
    const body = await readBounded(response.body, MAX_BYTES);
    if (body === null) throw new Problem('answered with more than 1 MiB');
    return parse(body);
  } catch (error) {
    // An unread body would hold the connection. A locked body is released by its reader.
    if (response.body?.locked === false) await response.body.cancel().catch(() => {});
    throw error;
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    throw new Problem('answered with something else than JSON');
  }
}

function lateness(timeout: number, onLate: () => void): { promise: Promise<never>; cancel: () => void } {
  let cancel = () => {};
  const promise = new Promise<never>((_, reject) => {
    cancel = after(timeout, () => {
      onLate();
      reject(new Problem(`did not answer within ${timeout} ms`));
    });
  });
  return { promise, cancel };
}

/**
 * Reads the address of a trusted server: https, or http on this machine. No user name, no fragment.
 *
 * @throws PosternError `option_invalid`
 */
export function trustedUrl(value: unknown, path: string, insecure = false): URL {
  const url = parseUrl(value);
  if (url !== null && isTrusted(url, insecure)) return url;
  // Only the origin is shown: the rest may hold a secret.
  const given = url === null ? 'is no address' : `is at ${quote(url.origin, 200)}`;
  throw new PosternError(
    'option_invalid',
    `${given}: give an https address without a user name and a fragment (http is for this machine only, or with allowInsecureKeys)`,
    { path },
  );
}

export function parseUrl(value: unknown): URL | null {
  try {
    return new URL(String(value));
  } catch {
    return null;
  }
}

/** Whether nobody on the way can change the answers of a server at this address. With `insecure` the application says so. */
export function isTrusted(url: URL, insecure = false): boolean {
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && (insecure || isLoopback(url.hostname)));
}

/** RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3. A parsed host has one spelling. */
export function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127\.\d+\.\d+\.\d+$/.test(hostname)
  );
}
