import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { connect as secure } from 'node:tls';
import { EXIT } from '../exit-codes.js';
import { CliError } from '../failure.js';
import type { Host } from '../host.js';
import { proxyFor } from './proxy-for.js';

/**
 * A `fetch` that goes through the proxy of the environment, as Node's own does not before version 24. It never follows redirects.
 * An https server is reached through a tunnel (CONNECT, RFC 9110 section 9.3.6), so the proxy sees no token; an http server by its
 * whole address (RFC 9112 section 3.2.2).
 */
export function proxiedFetch(env: Host['env'], direct: typeof fetch): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const proxy = proxyFor(new URL(request.url), env);
    return proxy === null ? direct(input, init) : send(request, proxy);
  };
}

async function send(request: Request, proxy: URL): Promise<Response> {
  const { method, signal, url: href } = request;
  const url = new URL(href);
  const body = request.body === null ? null : Buffer.from(await request.arrayBuffer());
  const headers = {
    ...Object.fromEntries(request.headers),
    host: url.host,
    ...(body !== null && { 'content-length': String(body.length) }),
  };
  try {
    const call =
      url.protocol === 'https:'
        ? throughTunnel(await openTunnel(url, proxy, signal), url, { method, headers, signal })
        : toProxy(proxy, { method, path: url.origin + url.pathname + url.search, headers, signal });
    return responseOf(await answerTo(call, 'response', body));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw error;
  }
}

interface Line {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

function toProxy(proxy: URL, { headers, ...line }: Line & { readonly path: string }): ClientRequest {
  const { username, password } = proxy;
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const credential = { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
  const request = proxy.protocol === 'https:' ? requestHttps : requestHttp;
  return request({
    ...line,
    protocol: proxy.protocol,
    host: hostOf(proxy),
    port: proxy.port,
    headers: { ...headers, ...(username !== '' && credential) },
    agent: false,
  }).once('error', (error: NodeJS.ErrnoException) => {
    if (error.name === 'AbortError') return;
    // Otherwise it would look as if the server were down.
    error.cause = new CliError(
      `the proxy ${proxy.host} can't be reached (${error.code ?? error.message}). Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY`,
      EXIT.unavailable,
    );
  });
}

async function openTunnel(url: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const path = `${url.hostname}:${url.port || 443}`;
  const connect = toProxy(proxy, { method: 'CONNECT', path, headers: { host: path }, signal });
  const answer = await answerTo(connect, 'connect', null);
  if (answer.statusCode === 200) return answer.socket;
  answer.socket.destroy();
  throw new CliError(
    `the proxy ${proxy.host} opens no way to ${path} (HTTP ${answer.statusCode}). Check HTTPS_PROXY and NO_PROXY`,
    EXIT.unavailable,
  );
}

function throughTunnel(socket: Socket, url: URL, line: Line): ClientRequest {
  const host = hostOf(url);
  // An address is no server name (RFC 6066 section 3). The certificate is compared with `host` then.
  const createConnection = () => secure({ socket, host, servername: isIP(host) > 0 ? '' : host });
  return requestHttps({ ...line, host, path: url.pathname + url.search, createConnection });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '');
}

function answerTo(call: ClientRequest, event: 'connect' | 'response', body: Buffer | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    call.once('error', (error) => reject(error.cause instanceof CliError ? error.cause : error));
    call.once(event, resolve);
    call.end(body ?? undefined);
  });
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode = 502, rawHeaders } = answer;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
  }
  // These have no body, and `Response` takes none with them.
  const isBodiless = [204, 205, 304].includes(statusCode);
  if (isBodiless) answer.resume();
  const body = isBodiless ? null : (Readable.toWeb(answer) as ReadableStream<Uint8Array>);
  return new Response(body, { status: statusCode, headers });
}
