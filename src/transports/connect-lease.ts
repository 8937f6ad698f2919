import type { ConnectError, Interceptor, StreamRequest, StreamResponse } from '@connectrpc/connect';
import type { Denied } from '../domain/decision.js';
import { leaseRequest } from './lease.js';

type Next = Parameters<Interceptor>[0];

/**
 * Lets a streaming call go on for as long as it is allowed. At its end the client gets the denial as an error, and the handler's
 * `signal` aborts, its input fails, and its generator is asked to return. A client that does not read gets nothing more; Connect
 * gives interceptors no way to cut it off.
 *
 * @param answer the headers of the answer, if they are known
 * @throws the error of the denial, if the lease ends before the handler answers
 */
export async function heldStream(
  request: StreamRequest,
  next: Next,
  answer: Headers | null,
  errorOf: (denial: Denied) => ConnectError,
): Promise<StreamResponse> {
  const end = new End();
  const lease = leaseRequest(request.header, (denial) => {
    // On HTTP/1.1, which alone has this header, Connect answers once the client has sent everything, unless it is to hang up.
    if (request.header.has('transfer-encoding')) answer?.set('connection', 'close');
    end.come(errorOf(denial));
  });
  // It aborts when the call is over, too, however it ended.
  if (request.signal.aborted) lease.close();
  else request.signal.addEventListener('abort', lease.close, { once: true });
  const signal = AbortSignal.any([request.signal, lease.signal]);
  const message = end.cut(request.message as AsyncIterable<never>);
  const response = (await end.unless(next({ ...request, signal, message }))) as StreamResponse;
  return { ...response, message: end.cut(response.message as AsyncIterable<never>, true) };
}

/** The end of one call's lease. It is no promise: of each message, something would stay with a promise that lives as long. */
class End {
  #error: ConnectError | null = null;
  readonly #listeners = new Set<(error: ConnectError) => void>();

  come(error: ConnectError): void {
    this.#error = error;
    for (const tell of this.#listeners) tell(error);
    this.#listeners.clear();
  }

  /** The outcome of the work, or the error as soon as the end has come. */
  unless<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#error !== null) reject(this.#error);
      else this.#listeners.add(reject);
      work.then(resolve, reject).finally(() => this.#listeners.delete(reject));
    });
  }

  /** The same messages until the end. @param returns whether to ask the source to return then */
  cut<T>(source: AsyncIterable<T>, returns = false): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const iterator = source[Symbol.asyncIterator]();
        // An iterator of the application's may throw, or return no promise.
        const giveUp = () => void (async () => iterator.return?.())().catch(() => {});
        if (returns && this.#error !== null) giveUp();
        else if (returns) this.#listeners.add(giveUp);
        return {
          next: () => this.unless(iterator.next()),
          return: async (value) => (await iterator.return?.(value)) ?? { done: true, value },
        };
      },
    };
  }
}
