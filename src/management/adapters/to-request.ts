import { ownCopy, unpolluted } from '../../base/check.js';
import { originForm } from '../../base/target.js';
import {
  type NodeRequest as HeadersOfNode,
  nodeHeader,
  nodeHeaderNames,
  nodeTarget,
} from '../../transports/node-request.js';
import { setOriginal } from '../../transports/once.js';

export type { HeadersOfNode };

/** The part of a request of `node:http`, `node:http2` or Express that is used here. */
export interface NodeRequest extends HeadersOfNode {
  readonly method?: string | undefined;
  readonly httpVersionMajor?: number | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean } | null | undefined;
  /** The result of a body parser. */
  readonly body?: unknown;
  readonly readableEnded?: boolean | undefined;
  readonly destroyed?: boolean | undefined;
  // biome-ignore lint/suspicious/noExplicitAny: the newest types of Node take listeners of anything only
  on(event: string, listener: (...args: any[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/**
 * @param heard the request with the headers that its framework gives it
 * @returns `null` if the target is no path, or the URL parser would change it
 * @throws TypeError if no `Request` can have this method, Host or header
 */
export function toRequest(request: NodeRequest, heard: HeadersOfNode): Request | null {
  const { method = 'GET' } = request;
  const url = urlOf(request, heard);
  if (url === null) return null;
  const headers = new Headers();
  // The same headers that guards read.
  for (const name of nodeHeaderNames(heard)) headers.append(name, nodeHeader(heard, name) as string);
  const bodiless = method === 'GET' || method === 'HEAD';
  // A stream needs `duplex`, which TypeScript's DOM types don't know.
  const init = { method, headers, ...(!bodiless && { body: bodyOf(request, heard), duplex: 'half' }) };
  const translated = new Request(url, ownCopy(init as RequestInit));
  setOriginal(translated, request);
  return translated;
}

/** Takes only the path and query of the target: the host of an absolute form is the sender's choice. */
function urlOf(request: NodeRequest, heard: HeadersOfNode): string | null {
  const { socket } = request;
  const target = originForm(nodeTarget(request) || '/');
  if (target === null) return null;
  const scheme = socket && unpolluted(socket, 'encrypted') ? 'https' : 'http';
  const host = nodeHeader(heard, 'host') ?? nodeHeader(heard, ':authority') ?? 'localhost';
  return new URL(`${scheme}://${host}`).origin + target;
}

function bodyOf(request: NodeRequest, heard: HeadersOfNode): ReadableStream<Uint8Array> | Uint8Array | string {
  return request.readableEnded && unpolluted(request, 'body') !== undefined
    ? parsedBody(request, heard)
    : streamed(request);
}

/** Turns the result of a body parser back into text. */
function parsedBody(request: NodeRequest, heard: HeadersOfNode): Uint8Array | string {
  const { body } = request;
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (typeof body !== 'object' || body === null) return JSON.stringify(body) ?? '';
  const form = nodeHeader(heard, 'content-type')?.startsWith('application/x-www-form-urlencoded');
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
