import type { Metadata } from '@grpc/grpc-js';
import { ownCopy } from '../../base/check.js';
import type { Denied } from '../../domain/decision.js';
import { STATUSES } from '../rpc-status.js';
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
  return Number.isInteger(code) && (code as number) > 0 && (code as number) <= 16;
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
