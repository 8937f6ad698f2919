import { ownCopy, unpolluted } from '../../base/check.js';
import { type NodeRequest as HeadersOfNode, nodeHeader, nodeTarget } from '../../transports/node-request.js';
import { setOriginal } from '../../transports/once.js';

/** The part of a request of `node:http`, `node:http2` or Express that is used here. */
export interface NodeRequest extends HeadersOfNode {
  readonly method?: string | undefined;
  readonly httpVersionMajor?: number | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean } | null | undefined;
  /** The result of a body parser. */
  readonly body?: unknown;
  readonly readableEnded?: boolean | undefined;
  readonly destroyed?: boolean | undefined;
  on(event: string, listener: (...args: never[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** @throws TypeError if no `Request` can have this method, Host or header */
export function toRequest(request: NodeRequest): Request {
  const { method = 'GET' } = request;
  const headers = new Headers();
  // The same headers that guards read: only names in lower case.
  for (const name of Object.keys(request.headers)) {
    const value = name.startsWith(':') || name !== name.toLowerCase() ? undefined : nodeHeader(request, name);
    if (value !== undefined) headers.append(name, value);
  }
  const bodiless = method === 'GET' || method === 'HEAD';
  // A stream needs `duplex`, which TypeScript's DOM types don't know.
  const init = { method, headers, ...(!bodiless && { body: bodyOf(request), duplex: 'half' }) };
  const translated = new Request(urlOf(request), ownCopy(init as RequestInit));
  setOriginal(translated, request);
  return translated;
}

/** Takes only the path and query of the target: the host of an absolute form is the sender's choice. */
function urlOf(request: NodeRequest): string {
  const { socket } = request;
  const target = nodeTarget(request) || '/';
  const scheme = socket && unpolluted(socket, 'encrypted') ? 'https' : 'http';
  const host = nodeHeader(request, 'host') ?? nodeHeader(request, ':authority') ?? 'localhost';
  const origin = new URL(`${scheme}://${host}`).origin;
  if (target.startsWith('/')) return origin + target;
  const { pathname, search } = new URL(target);
  return origin + pathname + search;
}

function bodyOf(request: NodeRequest): ReadableStream<Uint8Array> | Uint8Array | string {
  return request.readableEnded && unpolluted(request, 'body') !== undefined ? parsedBody(request) : streamed(request);
}

/** Turns the result of a body parser back into text. */
function parsedBody(request: NodeRequest): Uint8Array | string {
  const { body } = request;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (typeof body !== 'object' || body === null) return JSON.stringify(body) ?? '';
  const form = nodeHeader(request, 'content-type')?.startsWith('application/x-www-form-urlencoded');
  if (!form) return JSON.stringify(body);
  const pairs = Object.entries(body).flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]));
  return new URLSearchParams(pairs as [string, string][]).toString();
}

/**
 * The body as a stream. An iterator would destroy the socket, and the answer with it, when reading stops early. Listening starts
 * with the first read: the next handler gets the whole body of an unknown path, and Node drops the unread body of a refused call.
 */
function streamed(request: NodeRequest): ReadableStream<Uint8Array> {
  let begun = false;
  let over = false;

  function listen(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const finish = (settle: () => void) => () => {
      if (over) return;
      over = true;
      settle();
    };
    const broken = finish(() => controller.error(new Error('the body broke off')));
    // The body was read or broken off already: no more events will come.
    if (request.destroyed || request.readableEnded) {
      broken();
      return;
    }
    request.on('data', (chunk: Uint8Array) => {
      if (over) return;
      controller.enqueue(new Uint8Array(chunk));
      if ((controller.desiredSize ?? 0) <= 0) request.pause();
    });
    request.on(
      'end',
      finish(() => controller.close()),
    );
    request.on('error', broken);
    request.on('close', broken);
  }

  return new ReadableStream(
    {
      pull(controller) {
        if (!begun) listen(controller);
        begun = true;
        if (!over) request.resume();
      },
      cancel() {
        over = true;
        // Drops the rest.
        request.resume();
      },
    },
    { highWaterMark: 0 },
  );
}
