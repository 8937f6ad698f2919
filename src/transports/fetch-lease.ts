import { after } from '../base/runtime.js';
import { shared } from '../domain/shared.js';
import { GRACE, type Lease, leaseRequest } from './lease.js';
import { passagesOf } from './once.js';

export type { Lease };

interface FetchLease extends Lease {
  /** How many guards had let the request through. */
  readonly passages: number;
}

/** The leases of requests whose handlers asked for one. */
const LEASES = /* @__PURE__ */ shared('fetch-leases', () => new WeakMap<Request, FetchLease>());

/**
 * The lease of a fetch request; the same one at each call, until a further guard lets the request through. It ends with its client.
 *
 * @throws PosternError `guard_missing` where no guard let the request through
 */
export function leaseFetchRequest(request: Request): Lease {
  const earlier = LEASES.get(request);
  const passages = passagesOf(request).length;
  if (earlier?.passages === passages) return earlier;
  const { signal, close: release } = leaseRequest(request, () => earlier?.close());
  const close = () => {
    earlier?.close();
    release();
  };
  const lease = { signal, close, passages };
  LEASES.set(request, lease);
  if (request.signal.aborted) close();
  else request.signal.addEventListener('abort', close);
  return lease;
}

export function isLeased(request: Request): boolean {
  return LEASES.has(request);
}

/** Runs a handler. A lease that it asked for ends with the response, as {@link untilBodyEnds}, or with what the handler throws. */
export async function whileLeased(request: Request, handler: () => Response | Promise<Response>): Promise<Response> {
  try {
    return untilBodyEnds(request, await handler());
  } catch (error) {
    LEASES.get(request)?.close();
    throw error;
  }
}

/** The same response. A lease of its request ends with its body; where there is no body, at once. */
export function untilBodyEnds(request: Request, response: Response): Response {
  const lease = LEASES.get(request);
  // A switch of protocols is where a stream begins.
  if (lease === undefined || response?.status === 101) return response;
  if (response?.body && !response.bodyUsed && !response.body.locked) {
    return new Response(heldBody(response.body, lease), response);
  }
  lease.close();
  return response;
}

/** The same bytes. Its end closes the lease, and it does not outlive the lease by more than the grace. */
function heldBody(body: ReadableStream<Uint8Array>, lease: Lease): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let cancelCut = () => {};
  const over = () => {
    lease.close();
    cancelCut();
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const cut = () => {
          const { reason } = lease.signal;
          controller.error(reason);
          void reader.cancel(reason).catch(() => {});
        };
        const cutLater = () => {
          cancelCut = after(GRACE, cut);
        };
        if (lease.signal.aborted) cutLater();
        else lease.signal.addEventListener('abort', cutLater, { once: true });
      },
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          over();
          controller.close();
        } catch (error) {
          over();
          controller.error(error);
        }
      },
      cancel(reason) {
        over();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
