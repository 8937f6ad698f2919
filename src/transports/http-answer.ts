import { BoundedMap } from '../base/bounded-map.js';
import { ownCopy, unpolluted } from '../base/check.js';
import type { DenialReason, Denied } from '../domain/decision.js';
import { type HttpAnswer, problemAnswer, RETRY_AFTER } from './problem.js';
import { rateLimitHeaders, retryAfter } from './rate-limit-headers.js';

interface Answer {
  readonly status: number;
  readonly detail: string;
  /** The parameters of the challenge after the realm (RFC 6750 section 3); `null`: no challenge. */
  readonly challenge: string | null;
  /** The problem's `code`. Private and unknown endpoints share one, so that private ones don't show. */
  readonly code: string;
  /** The scheme of the challenge. Default `Bearer`. */
  readonly scheme?: string;
  readonly retryAfter?: string;
}

const NOT_FOUND: Answer = {
  status: 404,
  detail: 'There is nothing here.',
  challenge: null,
  code: 'not_found',
};

/** The HTTP table of docs/contract.md, with a row for every reason. */
const ANSWERS: Readonly<Record<DenialReason, Answer>> = {
  token_missing: {
    status: 401,
    detail: 'This needs a token: send it as "Authorization: Bearer <token>".',
    // Without a credential there is no error code (RFC 6750 section 3.1).
    challenge: '',
    code: 'token_missing',
  },
  token_malformed: {
    status: 400,
    detail: 'Send exactly one token, in one header.',
    challenge: ', error="invalid_request"',
    code: 'token_malformed',
  },
  token_unknown: {
    status: 401,
    detail: 'The token is not valid.',
    challenge: ', error="invalid_token"',
    code: 'token_unknown',
  },
  token_expired: {
    status: 401,
    detail: 'The token has expired.',
    challenge: ', error="invalid_token", error_description="The token has expired"',
    code: 'token_expired',
  },
  token_revoked: {
    status: 401,
    detail: 'The token was revoked.',
    challenge: ', error="invalid_token", error_description="The token was revoked"',
    code: 'token_revoked',
  },
  // RFC 9449 section 7.1.
  proof_invalid: {
    status: 401,
    detail: 'The proof of possession is not valid: make a new one for each request.',
    scheme: 'DPoP',
    challenge: ', error="invalid_dpop_proof"',
    code: 'proof_invalid',
  },
  scope_missing: {
    status: 403,
    detail: 'The token does not hold the scope that this needs.',
    challenge: ', error="insufficient_scope"',
    code: 'scope_missing',
  },
  endpoint_not_granted: {
    status: 403,
    detail: 'The token does not reach this endpoint.',
    challenge: ', error="insufficient_scope"',
    code: 'endpoint_not_granted',
  },
  endpoint_unknown: NOT_FOUND,
  endpoint_private: NOT_FOUND,
  requirement_missing: {
    status: 403,
    detail: 'This is not open to anyone.',
    challenge: null,
    code: 'requirement_missing',
  },
  rate_limited: {
    status: 429,
    detail: 'The token has reached its limit for now.',
    challenge: null,
    code: 'rate_limited',
  },
  unavailable: {
    status: 503,
    detail: 'The token can not be checked at the moment. Keep it, and try again.',
    challenge: null,
    code: 'unavailable',
    retryAfter: RETRY_AFTER,
  },
  internal_error: {
    status: 500,
    detail: 'Something went wrong.',
    challenge: null,
    code: 'internal_error',
  },
};

export const DEFAULT_REALM = 'postern';

/** Answers that a guard keeps: one for each reason, or for each reason and set of scopes. */
const MOST_ANSWERS = 1_000;

/** Parameters of every challenge of a guard (RFC 6750 section 3, RFC 9728 section 5.1). */
export interface Challenge {
  readonly realm?: string;
  /** Address of the protected resource's metadata. */
  readonly resourceMetadata?: string | null;
}

/**
 * Makes the answers of a guard: `application/problem+json` (RFC 9457) with the challenge of RFC 6750. Answers without limits
 * are built once and kept, so a client that never pauses costs next to nothing.
 */
export function httpAnswers(challenge: Challenge = {}): (denial: Denied) => HttpAnswer {
  const { realm = DEFAULT_REALM, resourceMetadata = null } = ownCopy(challenge);
  const metadata = resourceMetadata === null ? '' : `, resource_metadata="${resourceMetadata}"`;
  const render = (answer: Answer, scope: string, more?: Readonly<Record<string, string>>) =>
    rendered(answer, realm, scope + metadata, more);
  const kept = new BoundedMap<string, HttpAnswer>(MOST_ANSWERS);
  return (denial) => {
    const limit = unpolluted(denial, 'limit');
    if (limit !== undefined) {
      const headers = { ...rateLimitHeaders(limit), 'Retry-After': retryAfter(limit) };
      return render(ANSWERS[denial.reason], '', headers);
    }
    const { reason } = denial;
    const scopes = unpolluted(denial, 'scopes');
    const scope = Array.isArray(scopes) ? `, scope="${scopes.join(' ')}"` : '';
    let answer = kept.get(reason + scope);
    if (answer === undefined) {
      answer = render(ANSWERS[reason], scope);
      kept.set(reason + scope, answer);
    }
    return answer;
  };
}

function rendered(
  answer: Answer,
  realm: string,
  more: string,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  const { status, detail, code, challenge, scheme = 'Bearer', retryAfter: pause } = ownCopy(answer);
  const problem = problemAnswer(
    { status, detail, code },
    {
      ...(challenge !== null && { 'WWW-Authenticate': `${scheme} realm="${realm}"${challenge}${more}` }),
      ...(pause !== undefined && { 'Retry-After': pause }),
      ...headers,
    },
  );
  // Every body is ASCII.
  return { ...problem, headers: { ...problem.headers, 'Content-Length': String(problem.body.length) } };
}
