import { ownCopy, unpolluted } from '../../base/check.js';
import { pathOfTarget } from '../../base/target.js';
import { type NodeRequest as HeadersOfNode, nodeHeader, nodeTarget } from '../../transports/node-request.js';
import { setOriginal } from '../../transports/once.js';

export type { HeadersOfNode };

/** What is used of a request of `node:http`, `node:http2` or Express. */
export interface NodeRequest extends HeadersOfNode {
  readonly method?: string | undefined;
  readonly httpVersionMajor?: number | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined; readonly encrypted?: boolean } | null | undefined;
  /** What a body parser left here. */
  readonly body?: unknown;
  readonly readableEnded?: boolean | undefined;
  readonly destroyed?: boolean | undefined;
  on(event: string, listener: (...args: never[]) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/**
 * @param heard where its headers are read
 * @returns `null` for a target that is no path, or would become another one
 * @throws TypeError for a method, a Host or a header that no `Request` can have
 */
export function toRequest(request: NodeRequest, heard: HeadersOfNode): Request | null {
  const { method = 'GET' } = request;
  const url = urlOf(request, heard);
  if (url === null) return null;
  const headers = new Headers();
  // What the guards read, and nothing else: they know header names in lower case only.
  for (const name of Object.keys(heard.headers)) {
    const value = name.startsWith(':') || name !== name.toLowerCase() ? undefined : nodeHeader(heard, name);
    if (value !== undefined) headers.append(name, value);
  }
  const bodiless = method === 'GET' || method === 'HEAD';
  // `duplex` is needed for a stream (fetch), and TypeScript's DOM types don't know it.
  const init = { method, headers, ...(!bodiless && { body: bodyOf(request, heard), duplex: 'half' }) };
  const translated = new Request(url, ownCopy(init as RequestInit));
  setOriginal(translated, request);
  return translated;
}

/** Of the target only its path and query: what an absolute form names as its host is the sender's own choice. */
function urlOf(request: NodeRequest, heard: HeadersOfNode): string | null {
  const { socket } = request;
  const target = nodeTarget(request) || '/';
  const path = pathOfTarget(target);
  if (path === null) return null;
  const scheme = socket && unpolluted(socket, 'encrypted') ? 'https' : 'http';
  const host = nodeHeader(heard, 'host') ?? nodeHeader(heard, ':authority') ?? 'localhost';
  const query = target.indexOf('?');
  return new URL(`${scheme}://${host}`).origin + path + (query < 0 ? '' : target.slice(query));
}

function bodyOf(request: NodeRequest, heard: HeadersOfNode): ReadableStream<Uint8Array> | Uint8Array | string {
  return request.readableEnded && unpolluted(request, 'body') !== undefined
    ? parsedBody(request, heard)
    : streamed(request);
}

/** What a body parser has read before us, put back into words. */
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
 * The body, read as fast as it is taken. An iterator would destroy the socket, and with it the answer, where reading stops
 * early. Until it is asked for nothing listens: a body that is not the API's is left whole to the next handler, and one that
 * was refused unread is thrown away by Node itself.
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
    // Whoever took it, or broke it off, before it was asked for says no more of it.
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
        // What is left is thrown away.
        request.resume();
      },
    },
    { highWaterMark: 0 },
  );
}
