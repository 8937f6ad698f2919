import type { ServerHttp2Stream } from 'node:http2';

/**
 * All reads of private fields of grpc-js (1.12 to 1.14). If a newer version renames them, these functions find less and their
 * callers do without. `lintRoutes` alone refuses then: a check that sees nothing must not pass.
 *
 * - A handler's call has its intercepting call in `call`.
 * - A `ServerInterceptingCall` has the next one towards the wire in `nextCall`.
 * - The last one has the HTTP/2 stream in `stream`.
 * - A `Server` has its methods in `handlers`, by their paths, and its interceptors in `interceptors`.
 */
interface Internals {
  readonly call?: unknown;
  readonly nextCall?: unknown;
  readonly stream?: unknown;
  readonly handlers?: unknown;
  readonly interceptors?: unknown;
}

/** More than any server's number of interceptors. */
const MAX_DEPTH = 100;

/** The intercepting calls of a handler's call, from the handler's side to the wire's. */
export function* interceptingCallsOf(handlerCall: object): Iterable<object> {
  yield* towardsTheWire((handlerCall as Internals).call);
}

/** The HTTP/2 stream under an intercepting call, or `null` if this version of grpc-js hides it. */
export function http2StreamOf(interceptingCall: object): ServerHttp2Stream | null {
  for (const each of towardsTheWire(interceptingCall)) {
    const { stream } = each as Internals;
    if (isHttp2Stream(stream)) return stream;
  }
  return null;
}

/** The call nearest to the wire: the same one for every interceptor of a call. */
export function wireCallOf(interceptingCall: object): object {
  let last = interceptingCall;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const { nextCall } = last as Internals;
    if (typeof nextCall !== 'object' || nextCall === null) break;
    last = nextCall;
  }
  return last;
}

/** The paths of a server's methods; `null` if they can't be seen. */
export function methodsOf(server: object | null | undefined): readonly string[] | null {
  const handlers = (server as Internals | null | undefined)?.handlers;
  return handlers instanceof Map ? [...handlers.keys()] : null;
}

/** The interceptors of a server; `null` if they can't be seen. */
export function interceptorsOf(server: object | null | undefined): readonly object[] | null {
  const interceptors = (server as Internals | null | undefined)?.interceptors;
  return Array.isArray(interceptors) ? interceptors : null;
}

function* towardsTheWire(call: unknown): Iterable<object> {
  let each = call;
  for (let depth = 0; depth < MAX_DEPTH && typeof each === 'object' && each !== null; depth++) {
    yield each;
    each = (each as Internals).nextCall;
  }
}

function isHttp2Stream(value: unknown): value is ServerHttp2Stream {
  const stream = value as Partial<ServerHttp2Stream> | null | undefined;
  return typeof stream?.close === 'function' && typeof stream.destroy === 'function' && 'rstCode' in stream;
}
