/** Where the management API is mounted, with a slash at the end: this script is served from a folder of it. */
export const base = new URL('..', import.meta.url);

/** How long an answer may take, in milliseconds. */
const LONGEST_WAIT = 30_000;

/** What the API refused. `message` is a sentence for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** Where in what was sent the fault is, e.g. `types.developer.scopes.0`; empty where the API names no place. */
  readonly path: string;
  /** The problem as it came (RFC 9457), with what else it says. */
  readonly problem: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: string,
    message: string,
    path = '',
    problem: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.status = status;
    this.code = code;
    this.path = path;
    this.problem = problem;
  }
}

/** No answer came, or none that the API gives. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** The session is over, or none was begun. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

export interface Call {
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls the API in the name of the session's cookie.
 *
 * @throws ApiError, Unreachable; `AbortError` where `signal` says so
 */
export async function call<Answer>(
  method: string,
  path: string,
  { query = {}, body, signal }: Call = {},
): Promise<Answer> {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(name, String(value));
  }
  const limit = AbortSignal.timeout(LONGEST_WAIT);
  const init: RequestInit = {
    method,
    headers: { accept: 'application/json', ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    credentials: 'same-origin',
    // An application's own login answers with a redirect to its page where a session is over.
    redirect: 'manual',
    cache: 'no-store',
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  };
  const response = await send(url, init, signal);
  if (response.type === 'opaqueredirect') throw new ApiError(401, 'token_missing', 'Your session is over.');
  if (response.status === 204) return undefined as Answer;
  const answer = await json(response, signal);
  if (response.ok) return answer as Answer;
  throw refusal(response.status, answer);
}

async function send(url: URL, init: RequestInit, given: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (given?.aborted) throw error;
    throw new Unreachable(
      init.method === 'GET'
        ? 'The server could not be reached. Check your connection, then try again.'
        : 'The server could not be reached, or did not answer. It may have done this all the same: if it is not in the list, try again.',
    );
  }
}

async function json(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(
      `The server answered ${response.status} with something that is not the management API's. Try again, or tell its operator.`,
    );
  }
}

function refusal(status: number, answer: unknown): ApiError {
  const problem = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  const text = (name: string) => (typeof problem[name] === 'string' ? problem[name] : '');
  const message = text('detail') || text('title') || `The server refused this (${status}).`;
  return new ApiError(status, text('code'), message, text('path'), problem);
}
