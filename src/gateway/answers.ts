import type { Denied } from '../domain/decision.js';
import { type Challenge, httpAnswers } from '../transports/http-answer.js';
import { type HttpAnswer, type ProblemDetails, problemAnswer } from '../transports/problem.js';
import { type RpcStatus, STATUSES } from '../transports/rpc-status.js';
import type { Heard } from './heard.js';

/** A refusal for HTTP and for gRPC. */
export interface Refusal extends HttpAnswer {
  readonly rpc: RpcStatus;
}

/** The answer to a question: what the service behind gets, or the refusal. */
export type Answer =
  | { readonly allowed: true; readonly headers: Readonly<Record<string, string>> }
  | { readonly allowed: false; readonly refusal: Refusal };

/** Decisions that are made again have no other form: none can become an allow. */
export type Refused = Extract<Answer, { allowed: false }>;

export function refused(refusal: Refusal): Refused {
  return { allowed: false, refusal };
}

const INVALID_ARGUMENT = 3;
const PERMISSION_DENIED = 7;
const UNAVAILABLE = 14;

/** Who asked is no trusted proxy. */
export const NOT_TRUSTED = refusal(PERMISSION_DENIED, {
  status: 403,
  code: 'proxy_not_trusted',
  detail: 'Only a trusted proxy may ask.',
});

/** The error page was asked for a call that would be let through now. */
export const AGAIN = refusal(
  UNAVAILABLE,
  { status: 503, code: 'unavailable', detail: 'The call could not be checked. Try again.' },
  { 'Retry-After': '1' },
);

export function malformed(detail: string): Refusal {
  return refusal(INVALID_ARGUMENT, { status: 400, code: 'call_malformed', detail });
}

function refusal(code: number, problem: ProblemDetails, headers: Readonly<Record<string, string>> = {}): Refusal {
  return { ...problemAnswer(problem, headers), rpc: { code, details: problem.detail } };
}

/** Makes the refusals of a gateway, which are those of every guard. */
export function refusals(challenge: Challenge): (denial: Denied) => Refusal {
  const answer = httpAnswers(challenge);
  return (denial) => ({ ...answer(denial), rpc: STATUSES[denial.reason] });
}

/**
 * The status of a refused gRPC call, as headers. A client believes them whatever the HTTP status is, if the content type is gRPC's
 * (gRPC over HTTP/2, "Trailers-Only").
 */
export function rpcHeaders({ code, details }: RpcStatus): Record<string, string> {
  return { 'grpc-status': String(code), 'grpc-message': encodeURIComponent(details).replaceAll('%20', ' ') };
}

/** `application/grpc`, `application/grpc+proto` and their like; not gRPC-Web, whose clients read a body. */
export function isGrpc(headers: Heard): boolean {
  return /^application\/grpc(?:$|[+;])/i.test(headers.get('content-type') ?? '');
}
