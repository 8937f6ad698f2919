import { ownCopy } from '../../base/check.js';
import { isPosternError, type PosternError, type PosternErrorCode } from '../../domain/errors.js';
import { problemAnswer, RETRY_AFTER } from '../../transports/problem.js';
import { wirePath, wireSentence } from '../wire/fields.js';
import { type OwnCode, STATUSES } from './statuses.js';

/** RFC 6750 section 3: what follows the realm in a challenge. */
const REALM = 'Bearer realm="postern"';

/** A refusal, thrown wherever it is found and rendered in one place (RFC 9457). Its detail is for whoever called. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  readonly code: PosternErrorCode | OwnCode;
  /** Where in what was sent the fault is. */
  readonly path: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the problem beside the usual ones. */
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

/** The same for what is not there, may not be seen, or is another organization's. */
export function notFound(): Problem {
  return new Problem(404, 'not_found', 'There is nothing here.');
}

export function tokenUnknown(): Problem {
  return new Problem(404, 'token_unknown', 'There is no token of this id: it may have been deleted. List the tokens.');
}

export function endpointUnknown(): Problem {
  return new Problem(404, 'endpoint_unknown', 'There is no endpoint of this id: it may have been deleted. List them.');
}

/** RFC 9110 section 15.5.2: a 401 has a challenge. Whoever polls for a login is told what to wait for. */
export function unauthorized(code: OwnCode, detail: string, members: Readonly<Record<string, unknown>> = {}): Problem {
  return new Problem(401, code, detail, { headers: { 'www-authenticate': REALM }, members });
}

/** RFC 6750 section 3.1: the scope that is missing is named. */
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

/** What the application's own fault, or ours, looks like from outside. */
export function internalError(): Problem {
  return new Problem(500, 'internal_error', 'Something went wrong on the server.');
}

/**
 * The problem that an error is. Of one that lies with the server no detail is told: `fault` says that its operator should
 * hear of it.
 */
export function problemOf(error: unknown): { readonly problem: Problem; readonly fault: boolean } {
  if (error instanceof Problem) return { problem: error, fault: false };
  if (!isPosternError(error)) return { problem: internalError(), fault: true };
  // A code of a later version of the package that made the error.
  const status = Object.hasOwn(STATUSES, error.code) ? STATUSES[error.code] : 500;
  if (status === 503) return { problem: unavailable('The store of the tokens can not be reached.'), fault: true };
  if (status === 500) return { problem: serverFault(error), fault: true };
  // What a body names is not what the address names.
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
