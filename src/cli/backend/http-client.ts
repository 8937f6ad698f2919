import { readBounded } from '../../base/read-bounded.js';
import { escapeInvisible } from '../../domain/text.js';
import { EXIT } from '../exit-codes.js';
import { CliError, usageError } from '../failure.js';

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the endpoint, beginning with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as a form (RFC 6749, RFC 7662). */
  readonly form?: Readonly<Record<string, string>>;
  /** Left out: the call has no credential. */
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON of the body; `null` if it is no JSON. */
  readonly body: unknown;
}

/** The longest wait for an answer, in milliseconds. */
const TIMEOUT = 30_000;
const MOST_BYTES = 32 * 1024 * 1024;

/**
 * Checks a server's address. The result has no slash at its end.
 *
 * @throws CliError (usage)
 */
export function readEndpoint(text: string): string {
  let url: URL;
  try {
    url = new URL(text.trim());
  } catch {
    throw usageError(
      `the endpoint ${JSON.stringify(escapeInvisible(text))} is no URL. Give one such as https://api.example.com`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw usageError('the endpoint is no http or https address. Give one such as https://api.example.com');
  }
  // A password in an address ends up in history, logs and messages.
  if (url.username !== '' || url.password !== '') {
    throw usageError('the endpoint holds a user name or a password. Leave them out, only a token is needed');
  }
  if (url.search !== '' || url.hash !== '') throw usageError('the endpoint holds a query. Give the address alone');
  return url.origin + url.pathname.replace(/(?<!\/)\/+$/, '');
}

/** Whether a token would leave this machine unencrypted. */
export function isInTheClear(endpoint: string): boolean {
  const { protocol, hostname } = new URL(endpoint);
  return protocol === 'http:' && !/^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

/**
 * Makes one call to a server. Redirects are not followed, so that a token goes to no other server.
 *
 * @throws CliError (unavailable) if no answer comes
 */
export async function ask(endpoint: string, call: Call): Promise<Answer> {
  const { method = 'GET', path, query = {}, body, form, token, headers = {} } = call;
  const url = new URL(endpoint + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  }
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT),
      headers: {
        accept: 'application/json',
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(form !== undefined && { body: new URLSearchParams(form) }),
    });
    const bytes = await readBounded(response.body, MOST_BYTES);
    if (bytes === null) throw new CliError('the server sent more than 32 MiB. Check its address');
    text = new TextDecoder().decode(bytes);
  } catch (error) {
    throw unreachable(endpoint, error);
  }
  if (response.status >= 300 && response.status < 400) {
    const location = response.headers.get('location');
    throw new CliError(
      `${endpoint} answers with a redirect${location === null ? '' : ` to ${location}`}. No token was sent there: log in again with the address that it redirects to`,
    );
  }
  return { status: response.status, headers: response.headers, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name can not be looked up now',
  ETIMEDOUT: 'it gave no answer in time',
  UND_ERR_CONNECT_TIMEOUT: 'it gave no answer in time',
  UND_ERR_SOCKET: 'the connection was cut',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself: name it in NODE_EXTRA_CA_CERTS',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is of an unknown authority: name that in NODE_EXTRA_CA_CERTS',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is of an unknown authority: name that in NODE_EXTRA_CA_CERTS',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
};

function unreachable(endpoint: string, error: unknown): CliError {
  if (error instanceof CliError) return error;
  if ((error as Error).name === 'TimeoutError') {
    return new CliError(
      `${endpoint} gave no answer within ${TIMEOUT / 1000} seconds. Try again later`,
      EXIT.unavailable,
    );
  }
  const code = codeOf(error);
  const why = CAUSES[code] ?? (code || (error as { cause?: Error }).cause?.message || 'the connection failed');
  return new CliError(
    `${endpoint} can't be reached (${why}). Is the server running, and is the address right?`,
    EXIT.unavailable,
    {
      cause: error,
    },
  );
}

/** The code of the failure. `fetch` wraps it, and a name with several addresses gives several failures. */
function codeOf(error: unknown): string {
  let at = error as { cause?: unknown; code?: unknown; errors?: readonly unknown[] } | undefined;
  while (at !== undefined && at !== null) {
    if (typeof at.code === 'string') return at.code;
    at = (at.cause ?? at.errors?.[0]) as typeof at;
  }
  return '';
}

/** The sentence of a problem (RFC 9457), or one for its status. */
export function problemOf({ status, body }: Answer): string {
  const { detail, title } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>;
  for (const text of [detail, title]) if (typeof text === 'string' && text !== '') return text;
  return `it did not say why (HTTP ${status})`;
}

/**
 * The body of a successful answer.
 *
 * @throws CliError with the server's own sentence
 */
export function succeeded(endpoint: string, answer: Answer): unknown {
  const { status, body } = answer;
  if (status >= 200 && status < 300) {
    if (typeof body === 'object' && body !== null) return body;
    throw new CliError(`${endpoint} did not answer like a postern server. Check the address`);
  }
  const said = problemOf(answer).replace(/\.$/, '');
  if (status === 401) {
    throw new CliError(`${endpoint} does not take this token (${said}). Log in again, with postern login`);
  }
  const outage = status === 502 || status === 503 || status === 504 || status === 429;
  const next = outage ? '. Try again later' : status === 403 ? '. Use a token that may do this' : '';
  const did = status >= 500 ? 'failed' : 'refused';
  throw new CliError(`${endpoint} ${did}: ${said}${next}`, outage ? EXIT.unavailable : EXIT.failed);
}
