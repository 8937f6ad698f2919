import { ownCopy } from '../../base/check.js';
import { isPosternError, type PosternError, type PosternErrorCode } from '../../domain/errors.js';
import { problemAnswer, RETRY_AFTER } from '../../transports/problem.js';
import { wirePath, wireSentence } from '../wire/fields.js';
import { type OwnCode, STATUSES } from './statuses.js';

/** The start of a challenge (RFC 6750 section 3). */
const REALM = 'Bearer realm="postern"';

/** A refusal, thrown anywhere and rendered in one place (RFC 9457). Its detail is for the caller. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: PosternErrorCode | OwnCode;
  /** The path of the wrong value in the input. */
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Further members of the problem. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    status: number,
    code: PosternErrorCode | OwnCode,
    detail: string,
    more: {
      readonly path?: string | undefined;
      readonly headers?: Readonly<Record<string, string>>;
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(detail);
    this.status = status;
    this.code = code;
    const { path, headers, members } = ownCopy(more);
    this.path = path;
    this.headers = headers ?? {};
    this.members = members ?? {};
  }

  toResponse(): Response {
    const { status, code, path, members, message: detail } = this;
    const { body, headers } = problemAnswer(
      { status, detail, code, ...(path !== undefined && { path }), ...members },
      { 'X-Content-Type-Options': 'nosniff', ...this.headers },
    );
    return new Response(body, { status, headers });
  }
}

/** The same answer for things that are absent, hidden, or another organization's. */
export function notFound(): Problem {
  return new Problem(404, 'not_found', 'There is nothing here.');
}

export function tokenUnknown(): Problem {
  return new Problem(404, 'token_unknown', 'There is no token of this id: it may have been deleted. List the tokens.');
}

export function endpointUnknown(): Problem {
  return new Problem(404, 'endpoint_unknown', 'There is no endpoint of this id: it may have been deleted. List them.');
}

/** A 401 with its challenge (RFC 9110 section 15.5.2). */
export function unauthorized(code: OwnCode, detail: string, members: Readonly<Record<string, unknown>> = {}): Problem {
  return new Problem(401, code, detail, { headers: { 'www-authenticate': REALM }, members });
}

/** A 403 that names the missing scope (RFC 6750 section 3.1). */
export function scopeMissing(scope: string | null, doing: string): Problem {
  if (scope === null) return new Problem(403, 'scope_missing', `Nobody may ${doing} here: no scope is set for it.`);
  return new Problem(403, 'scope_missing', `You need the scope ${scope} to ${doing}.`, {
    headers: { 'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` },
  });
}

export function unavailable(what: string): Problem {
  return new Problem(503, 'unavailable', `${what} Nothing is known to be changed; try again in a moment.`, {
    headers: { 'retry-after': RETRY_AFTER },
  });
}

/** The answer for a fault of the application or of this package. */
export function internalError(): Problem {
  return new Problem(500, 'internal_error', 'Something went wrong on the server.');
}

/**
 * Turns an error into a problem. A server's error shows no detail, and `fault` says that its operator should hear of it.
 */
export function problemOf(error: unknown): { readonly problem: Problem; readonly fault: boolean } {
  if (error instanceof Problem) return { problem: error, fault: false };
  if (!isPosternError(error)) return { problem: internalError(), fault: true };
  // The error may come from a later version of the package, with a new code.
  const status = Object.hasOwn(STATUSES, error.code) ? STATUSES[error.code] : 500;
  if (status === 503) return { problem: unavailable('The store of the tokens can not be reached.'), fault: true };
  if (status === 500) return { problem: serverFault(error), fault: true };
  // An unknown name in the body is a 400. A 404 is about the address.
  const named = error.path?.startsWith('types') === true;
  const problem = new Problem(status === 404 && named ? 400 : status, error.code, wireSentence(error), {
    path: wirePath(error),
  });
  return { problem, fault: false };
}

function serverFault({ code }: PosternError): Problem {
  if (code !== 'record_unreadable') return internalError();
  const detail = 'The record of this token is damaged. Delete the token, or have it mended in the store.';
  return new Problem(500, code, detail);
}
