import { after } from '../base/runtime.js';
import type { Denied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import { leasesOf } from '../instance/leases-of.js';
import { passagesOf } from './once.js';

/**
 * The decision that let a request through, kept up to date while its stream is open.
 *
 * @example
 * const { signal } = leaseOf(request);
 * signal.addEventListener('abort', () => response.end());
 */
export interface Lease {
  /**
   * Aborts when the request would be denied now: its token was revoked, has expired or lost the right, or the endpoint's access has
   * changed. Within `cache.ttl` of the change, at once where the store has a feed. Its `reason` is the denial, as guards get it: an
   * object with `reason` (`'token_revoked'`, …).
   */
  readonly signal: AbortSignal;
  /** Ends the lease without a signal, for a stream that is over. Idempotent. */
  close(): void;
}

/** The stream of a Node request: its response, or the socket of an upgrade. */
export interface NodeStream {
  readonly destroyed?: boolean;
  readonly writableFinished?: boolean;
  once(event: 'close', listener: () => void): unknown;
  removeListener(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
}

/** How long a client has to read the end of a stream before it is cut off, in milliseconds. */
export const GRACE = 2_000;

/**
 * Holds every decision that let a request through: one for each guard that it passed. The callback form, for transports that end
 * their streams themselves.
 *
 * @param request the object that all guards of the request share (`identityOf` in the transport's call of `asker`)
 * @param ended called once, with the first denial; all leases of the request are closed by then. Never before this returns
 * @returns closes the leases. Idempotent
 * @throws PosternError `guard_missing` where no guard let the request through
 */
export function holdRequest(request: object, ended: (denial: Denied) => void): () => void {
  const passages = passagesOf(request);
  if (passages.length === 0) {
    throw new PosternError('guard_missing', 'no guard let this request through: put one in front of the handler');
  }
  const leases = passages.map(({ holding, attempt }) =>
    leasesOf(holding).open(attempt, (denial) => {
      close();
      ended(denial);
    }),
  );
  const close = () => {
    for (const lease of leases) lease.close();
  };
  return close;
}

/** The same as an `AbortSignal`, for entries that give it to handlers. */
export function leaseRequest(request: object, onEnd?: (denial: Denied) => void): Lease {
  const controller = new AbortController();
  const close = holdRequest(request, (denial) => {
    controller.abort(denial);
    onEnd?.(denial);
  });
  return { signal: controller.signal, close };
}

/**
 * A lease of a Node request. It ends with the stream. A stream that is still open two seconds after the signal is cut off: its
 * client does not read, or nobody listened.
 */
export function leaseNodeRequest(request: object, stream: NodeStream | null): Lease {
  let cancelCut = () => {};
  const lease = leaseRequest(request, () => {
    cancelCut = after(GRACE, () => stream?.destroy());
  });
  const over = () => {
    lease.close();
    cancelCut();
  };
  if (stream?.destroyed || stream?.writableFinished) over();
  else stream?.once('close', over);
  return {
    signal: lease.signal,
    close() {
      over();
      stream?.removeListener('close', over);
    },
  };
}
