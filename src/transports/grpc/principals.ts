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

/** Where a guard's intercepting call keeps who makes the call: the same key in every copy of this package. */
export const PRINCIPAL: unique symbol = Symbol.for('postern.grpc-principal') as never;

/** By the identity of a call's metadata, which no client can make. */
const principals = /* @__PURE__ */ shared('grpc-principals', () => new WeakMap<Metadata, Principal | null>());

/** Notes who makes the call that has this metadata. */
export function setPrincipal(metadata: Metadata, principal: Principal | null): void {
  principals.set(metadata, principal);
}

/**
 * Who makes a call, as it was when the call began: to be asked in its handler. `null` where no credential was needed.
 *
 * It goes by the identity of the call's metadata; where another interceptor has replaced that, by the call's own.
 *
 * @example
 * const summarize = (call, callback) => callback(null, { by: principalOf(call)?.owner });
 * @throws PosternError `guard_missing` where no guard let this call through
 */
export function principalOf(call: GrpcHandlerCall): RegisteredPrincipal | null {
  const principal = find(call);
  if (principal !== undefined) return principal as RegisteredPrincipal | null;
  throw new PosternError(
    'guard_missing',
    'no guard let this call through: give the server one, new grpc.Server({ interceptors: [guard(postern, …)] })',
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
