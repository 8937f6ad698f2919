import { t } from './i18n.js';

/** The address of the management API, with a slash at the end. This script is served from a folder below it. */
export const base = new URL('..', import.meta.url);

/** The longest wait for an answer, in milliseconds. */
const LONGEST_WAIT = 30_000;

/** A refusal of the API. `message` is a sentence for people. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** The path of the wrong value in the request, e.g. `types.developer.scopes.0`. Empty if the API names none. */
  readonly path: string;
  /** The whole problem of the answer (RFC 9457). */
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

/** No answer came, or none of the API's. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** Whether the session is over, or none was begun. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

export interface Call {
  readonly query?: Readonly<Record<string, string | number | null | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Calls the API with the session's cookie.
 *
 * @throws ApiError, Unreachable; `AbortError` if `signal` aborts
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
    // If the session is over, an application's own login redirects to its page.
    redirect: 'manual',
    cache: 'no-store',
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  };
  const response = await send(url, init, signal);
  if (response.type === 'opaqueredirect') throw new ApiError(401, 'token_missing', t('error.sessionOver'));
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
    throw new Unreachable(t(init.method === 'GET' ? 'error.unreachable' : 'error.unreachableChange'));
  }
}

async function json(response: Response, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(t('error.strange', { status: response.status }));
  }
}

function refusal(status: number, answer: unknown): ApiError {
  const problem = typeof answer === 'object' && answer !== null ? (answer as Record<string, unknown>) : {};
  const text = (name: string) => (typeof problem[name] === 'string' ? problem[name] : '');
  const message = text('detail') || text('title') || t('error.refused', { status });
  return new ApiError(status, text('code'), message, text('path'), problem);
}

/** An error as a sentence. A fault of this page is also written to the browser's console. */
export function sentence(error: unknown): string {
  if (error instanceof ApiError || error instanceof Unreachable) return error.message;
  console.error(error);
  return t('error.page');
}
