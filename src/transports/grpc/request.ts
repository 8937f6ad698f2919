import type { Metadata, ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { wireCallOf } from './internals.js';

/** A call as requirement functions, zone functions and `onDenied` see it: before any message is read. */
export interface GrpcRequest {
  /** The called method, `/pkg.Service/Method`. */
  readonly path: string;
  /** Sent by the client. Nothing in it is proven. */
  readonly metadata: Metadata;
  /** The socket's address and port, as grpc-js writes them: `10.0.0.7:51234`, `::1:51234`, or `unknown`. */
  getPeer(): string;
}

/** From a request to the innermost call, which all guards of a call share. */
const CALLS = new WeakMap<GrpcRequest, object>();

export function requestOf(path: string, metadata: Metadata, call: ServerInterceptingCallInterface): GrpcRequest {
  const request = { path, metadata, getPeer: () => call.getPeer() };
  CALLS.set(request, wireCallOf(call));
  return request;
}

export function callOf(request: GrpcRequest): object {
  return CALLS.get(request) ?? request;
}
