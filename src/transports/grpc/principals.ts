import type { Metadata } from '@grpc/grpc-js';
import { PosternError } from '../../domain/errors.js';
import type { Principal } from '../../domain/principal.js';
import type { RegisteredPrincipal } from '../../instance/register.js';
import { interceptingCallsOf } from './internals.js';

/** A handler's call: `ServerUnaryCall`, `ServerReadableStream`, `ServerWritableStream` or `ServerDuplexStream`. */
export interface GrpcHandlerCall {
  readonly metadata: Metadata;
}

/**
 * The property that holds the principal of a guarded call, on the call and on the metadata object that came with it: the same in
 * every copy of this package. No client can send it, and a copy of the metadata does not have it.
 */
export const PRINCIPAL: unique symbol = Symbol.for('postern.grpc-principal') as never;

/** What may hold a principal. */
interface Holding {
  [PRINCIPAL]?: Principal | null | undefined;
}

/** Stores the principal of the call with this metadata. */
export function setPrincipal(metadata: Metadata & Holding, principal: Principal | null): void {
  metadata[PRINCIPAL] = principal;
}

/**
 * The caller, as it was when the call began. For use in the call's handler. `null` if no credential was needed.
 *
 * The principal is found by the identity of the call's metadata, or of the call itself if another interceptor has replaced its
 * metadata.
 *
 * @example
 * const summarize = (call, callback) => callback(null, { by: principalOf(call)?.owner });
 * @throws PosternError `guard_missing` if no guard let this call through
 */
export function principalOf(call: GrpcHandlerCall): RegisteredPrincipal | null {
  const principal = find(call);
  if (principal !== undefined) return principal as RegisteredPrincipal | null;
  throw new PosternError(
    'guard_missing',
    'no guard let this call through: add one with new grpc.Server({ interceptors: [guard(postern, …)] })',
  );
}

function find(call: GrpcHandlerCall): Principal | null | undefined {
  if (typeof call !== 'object' || call === null) return undefined;
  for (const each of [call.metadata, ...interceptingCallsOf(call)]) {
    const principal = (each as Holding | undefined)?.[PRINCIPAL];
    if (principal !== undefined) return principal;
  }
  return undefined;
}
