import { readBounded } from '../base/read-bounded.js';
import { after } from '../base/runtime.js';
import { PosternError } from '../domain/errors.js';
import { quote } from '../domain/text.js';

/** The runtime's `fetch`, or one in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** A key server did not answer, or not with what was asked for. A fault: it says nothing of any token. */
export class KeyServerFault extends Error {
  override readonly name = 'KeyServerFault';
}

/** Bytes of an answer, at most. */
const MAX_BYTES = 1_048_576;

/**
 * Fetches a JSON document: status 200, JSON in UTF-8 under any media type, at most 1 MiB, within `timeout` milliseconds from the first
 * byte sent to the last one read. A redirect is not followed: who is asked is the application's choice.
 *
 * @throws KeyServerFault for whatever else comes, or does not
 */
export async function fetchJson(url: URL, fetch: Fetch, timeout: number): Promise<unknown> {
  const aborting = new AbortController();
  // A `fetch` in the runtime's place may not heed the signal: the wait ends all the same.
  const { promise: late, cancel } = lateness(timeout, () => aborting.abort());
  try {
    return await Promise.race([request(url, fetch, aborting.signal), late]);
  } catch (error) {
    // Neither the address's query nor what the server wrote is repeated.
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
    // What is not read to its end holds a connection. A body that is being read is let go by its reader.
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
 * The address of a server whose word is trusted: https, or http on the machine itself. No user name, no fragment.
 *
 * @throws PosternError `option_invalid`
 */
export function trustedUrl(value: unknown, path: string, insecure = false): URL {
  const url = parseUrl(value);
  if (url !== null && isTrusted(url, insecure)) return url;
  // What else is in it may be a secret.
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

/** Whether nobody on the way can change what a server at this address says. */
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
