import type { Metadata } from '@grpc/grpc-js';
import { PosternError } from '../../domain/errors.js';
import type { Principal } from '../../domain/principal.js';
import { shared } from '../../domain/shared.js';
import type { RegisteredPrincipal } from '../../instance/register.js';
import { interceptingCallsOf } from './internals.js';

/** A handler's call: `ServerUnaryCall`, `ServerReadableStream`, `ServerWritableStream` or `ServerDuplexStream`. */
export interface GrpcHandlerCall {
  readonly metadata: Metadata;
}

/** The property of a guarded call that holds its principal: the same in every copy of this package. */
export const PRINCIPAL: unique symbol = Symbol.for('postern.grpc-principal') as never;

/** By the identity of the metadata object, which no client can forge. */
const principals = /* @__PURE__ */ shared('grpc-principals', () => new WeakMap<Metadata, Principal | null>());

/** Stores the principal of the call with this metadata. */
export function setPrincipal(metadata: Metadata, principal: Principal | null): void {
  principals.set(metadata, principal);
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
  const byMetadata = principals.get(call.metadata);
  if (byMetadata !== undefined) return byMetadata;
  for (const each of interceptingCallsOf(call)) {
    const byCall = (each as { readonly [PRINCIPAL]?: Principal | null })[PRINCIPAL];
    if (byCall !== undefined) return byCall;
  }
  return undefined;
}
