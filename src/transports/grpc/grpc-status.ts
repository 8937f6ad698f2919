import type { status as grpcStatus, Metadata } from '@grpc/grpc-js';
import { ownCopy } from '../../base/check.js';
import type { DenialReason, Denied } from '../../domain/decision.js';
import type { GrpcRequest } from './request.js';

/** A gRPC status with its trailing metadata, ready to be sent. */
export interface GrpcAnswer {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata | null;
}

/** A denial in the application's own form. Fields that are left out or can't be sent come from the standard answer. */
export interface CustomAnswer {
  /** A gRPC status code, 1 to 16. `OK` (0) is not accepted: a denial stays a denial. */
  readonly code?: number | undefined;
  readonly details?: string | undefined;
  /** Trailing metadata. `grpc-status`, `grpc-message` and `content-type` are removed from it. */
  readonly metadata?: Metadata | undefined;
}

export type OnDenied = (denial: Denied, request: GrpcRequest) => CustomAnswer | null | undefined;

interface Status {
  readonly code: number;
  readonly details: string;
}

/** The codes that are used here (https://grpc.io/docs/guides/status-codes): grpc-js itself is not loaded. */
const status = {
  OK: 0,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const satisfies Partial<Record<keyof typeof grpcStatus, number>>;

const NOT_FOUND: Status = { code: status.NOT_FOUND, details: 'There is nothing here.' };

/** The gRPC table of docs/contract.md, with a row for every reason. */
const STATUSES: Readonly<Record<DenialReason, Status>> = {
  token_missing: { code: status.UNAUTHENTICATED, details: 'This needs a token, and none came with the call.' },
  token_malformed: { code: status.UNAUTHENTICATED, details: 'Send exactly one token, in one metadata entry.' },
  token_unknown: { code: status.UNAUTHENTICATED, details: 'The token is not valid.' },
  token_expired: { code: status.UNAUTHENTICATED, details: 'The token has expired.' },
  proof_invalid: { code: status.UNAUTHENTICATED, details: 'The proof of possession is not valid.' },
  token_revoked: { code: status.UNAUTHENTICATED, details: 'The token was revoked.' },
  scope_missing: {
    code: status.PERMISSION_DENIED,
    details: 'The token does not hold the scope that this needs.',
  },
  endpoint_not_granted: { code: status.PERMISSION_DENIED, details: 'The token does not reach this endpoint.' },
  endpoint_unknown: NOT_FOUND,
  endpoint_private: NOT_FOUND,
  requirement_missing: { code: status.PERMISSION_DENIED, details: 'This is not open to anyone.' },
  rate_limited: {
    code: status.RESOURCE_EXHAUSTED,
    details: 'The token has reached its limit for now.',
  },
  unavailable: {
    code: status.UNAVAILABLE,
    details: 'The token can not be checked at the moment. Keep it, and try again.',
  },
  internal_error: { code: status.INTERNAL, details: 'Something went wrong.' },
};

/** grpc-js lets trailing metadata override the status fields on the wire, so these keys are removed. */
const RESERVED = ['grpc-status', 'grpc-message', 'content-type'];

/**
 * Makes the answers of a guard. If `onDenied` throws, or returns something that can't be sent, the standard answer is used.
 *
 * @param onFault receives the error that `onDenied` threw
 */
export function grpcAnswers(
  onDenied: OnDenied | undefined,
  onFault: (error: unknown) => void,
): (denial: Denied, request: GrpcRequest) => GrpcAnswer {
  return (denial, request) => {
    const standard = STATUSES[denial.reason];
    // A new object each time, because another interceptor may write into it.
    if (onDenied === undefined) return { ...standard, metadata: null };
    try {
      const given = onDenied(denial, request) ?? {};
      if (given instanceof Promise) given.catch(onFault);
      const custom: CustomAnswer = ownCopy(given);
      return {
        code: isFailure(custom.code) ? custom.code : standard.code,
        details: isSendable(custom.details) ? custom.details : standard.details,
        metadata: custom.metadata === undefined ? null : trailersOf(custom.metadata),
      };
    } catch (error) {
      onFault(error);
      return { ...standard, metadata: null };
    }
  };
}

function isFailure(code: unknown): code is number {
  return Number.isInteger(code) && (code as number) > status.OK && (code as number) <= status.UNAUTHENTICATED;
}

/** grpc-js percent-encodes the details with `encodeURI`, which throws on half of a surrogate pair. */
function isSendable(details: unknown): details is string {
  return typeof details === 'string' && !/\p{Cs}/u.test(details);
}

function trailersOf(metadata: Metadata): Metadata {
  const trailers = metadata.clone();
  for (const key of RESERVED) trailers.remove(key);
  return trailers;
}
