import type { ManagementApi } from '../api.js';
import { MAX_BODY } from '../http/body.js';

/** What is used of a request of `node:http`, `node:http2` or Express. */
export interface NodeRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express: the address before routers took parts of it away. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawHeaders: readonly string[];
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

/** What is used of a response of `node:http`, `node:http2` or Express. */
export interface NodeResponse {
  statusCode: number;
  setHeader(name: string, value: string | readonly string[]): unknown;
  end(body: Uint8Array): unknown;
}

/** A handler of `node:http`, which is a middleware of Express too. */
export type NodeHandler = (
  request: NodeRequest,
  response: NodeResponse,
  next?: (error?: unknown) => void,
) => Promise<void>;

/**
 * The API as a handler of `node:http` and of Express. Mount it before body parsers: what is refused is not read. With
 * `next` (Express) a path that is none of the API's goes on to the next handler.
 *
 * @example
 * app.use(toNodeHandler(managementApi(postern, { basePath: '/admin' })));
 */
export function toNodeHandler(api: ManagementApi): NodeHandler {
  return (request, response, next) => serveNode(api, request, response, { source: request, next });
}

/** Never rejects: what can't be made a request of is answered 400. */
export async function serveNode(
  api: ManagementApi,
  request: NodeRequest,
  response: NodeResponse,
  { source, next }: { readonly source: unknown; readonly next?: ((error?: unknown) => void) | undefined },
): Promise<void> {
  let answer: Response;
  let translated: Request | null = null;
  let unknown = false;
  const onUnknownPath = () => {
    unknown = true;
  };
  try {
    translated = toRequest(request);
    answer = await api(translated, { source, address: request.socket?.remoteAddress, onUnknownPath });
  } catch {
    // A method or a Host that no `Request` can have.
    answer = new Response(null, { status: 400 });
  }
  if (next !== undefined && unknown) return next();
  // Nobody waits for the rest of a body that is too large, or for one that may be and was not looked at.
  const last = request.httpVersionMajor === 1 && (answer.status === 413 || leavesMuch(translated));
  await send(response, answer, last);
}

/** Whether a body was left unread that has no length, or more than is ever read. HTTP/1 carries nothing behind it until it ends. */
function leavesMuch(request: Request | null): boolean {
  if (request === null || request.body === null || request.bodyUsed) return false;
  return request.headers.has('transfer-encoding') || Number(request.headers.get('content-length') ?? 0) > MAX_BODY;
}

function toRequest(request: NodeRequest): Request {
  const { method = 'GET', rawHeaders } = request;
  const headers = new Headers();
  // From the raw ones: Node drops a second `Authorization` without a word, and here both become a list, which is refused.
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!name.startsWith(':')) headers.append(name, rawHeaders[i + 1] as string);
  }
  const url = urlOf(request);
  if (method === 'GET' || method === 'HEAD') return new Request(url, { method, headers });
  // `duplex` is needed for a stream (fetch), and TypeScript's DOM types don't know it.
  return new Request(url, { method, headers, body: bodyOf(request), duplex: 'half' } as RequestInit);
}

/** Of the target only its path and query: what an absolute form names as its host is the sender's own choice. */
function urlOf({ originalUrl, url = '/', headers, socket }: NodeRequest): string {
  const target = originalUrl ?? url;
  const scheme = socket?.encrypted ? 'https' : 'http';
  const host = [headers.host ?? headers[':authority'] ?? 'localhost'].flat()[0];
  const origin = new URL(`${scheme}://${host}`).origin;
  if (target.startsWith('/')) return origin + target;
  const { pathname, search } = new URL(target);
  return origin + pathname + search;
}

function bodyOf(request: NodeRequest): ReadableStream<Uint8Array> | Uint8Array | string {
  return request.readableEnded && request.body !== undefined ? parsedBody(request) : streamed(request);
}

/** What a body parser has read before us, put back into words. */
function parsedBody({ body, headers }: NodeRequest): Uint8Array | string {
  if (typeof body === 'string' || body instanceof Uint8Array) return body;
  if (typeof body !== 'object' || body === null) return JSON.stringify(body) ?? '';
  const form = String(headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
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

async function send(response: NodeResponse, answer: Response, last: boolean): Promise<void> {
  response.statusCode = answer.status;
  for (const [name, value] of answer.headers) if (name !== 'set-cookie') response.setHeader(name, value);
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  if (last) response.setHeader('connection', 'close');
  const body = new Uint8Array(await answer.arrayBuffer());
  response.end(body);
}
