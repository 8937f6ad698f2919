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

class Arrived implements GrpcRequest {
  readonly getPeer: () => string;
  /** The innermost call, which all guards of a call share. */
  readonly #wire: object;

  constructor(
    readonly path: string,
    readonly metadata: Metadata,
    call: ServerInterceptingCallInterface,
  ) {
    this.getPeer = () => call.getPeer();
    this.#wire = wireCallOf(call);
  }

  static wireOf(request: object): object {
    return #wire in request ? request.#wire : request;
  }
}

export function requestOf(path: string, metadata: Metadata, call: ServerInterceptingCallInterface): GrpcRequest {
  return new Arrived(path, metadata, call);
}

/** The object that stands for the call of a request. */
export const callOf: (request: GrpcRequest) => object = Arrived.wireOf;
