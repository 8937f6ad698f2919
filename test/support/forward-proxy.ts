import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** Names that end with this are this machine for the proxy, and nothing for anyone else (RFC 6761 section 6.4). */
const OWN = '.test';

/** A forwarding proxy: whole addresses and CONNECT. It ends with the test. */
export async function startForwardProxy(credential: string | null = null) {
  const seen: string[] = [];
  let bytes = '';
  const isRefused = (request: IncomingMessage) => {
    seen.push(`${request.method} ${request.url}`);
    return credential !== null && request.headers['proxy-authorization'] !== credential;
  };
  const addressOf = (hostname: string) => (hostname.endsWith(OWN) ? '127.0.0.1' : hostname);

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    if (isRefused(request)) return response.writeHead(407).end();
    const { hostname, port, pathname, search, host } = new URL(request.url as string);
    const { 'proxy-authorization': _own, ...headers } = request.headers;
    const onward = forward(
      {
        host: addressOf(hostname),
        port,
        method: request.method,
        path: pathname + search,
        headers: { ...headers, host },
      },
      (answer) => {
        response.writeHead(answer.statusCode as number, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.writeHead(502).end());
    return request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, near: Socket, head: Buffer) => {
    near.on('error', () => {});
    if (isRefused(request)) return near.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const [hostname = '', port] = (request.url as string).split(':');
    const far = connect(Number(port), addressOf(hostname), () => {
      near.write('HTTP/1.1 200 Connection established\r\n\r\n');
      far.write(head);
      near.on('data', (chunk) => {
        bytes += chunk.toString('latin1');
      });
      near.pipe(far).pipe(near);
    });
    far.on('error', () => near.destroy());
    return near.on('close', () => far.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The first line of each request, without the version. */
    seen,
    /** What went from clients through its tunnels. */
    bytes: () => bytes,
  };
}
