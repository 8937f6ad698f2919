import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** The answer of a path: a JSON value, or a function that answers. */
type Answer = object | ((request: IncomingMessage, response: ServerResponse) => void);

export interface KeyServer {
  /** `http://127.0.0.1:…`, the same after a restart. */
  readonly origin: string;
  /** Path → answer, which tests may change. Other paths are 404. */
  readonly answers: Map<string, Answer>;
  /** The number of requests for a path. */
  count(path: string): number;
  /** Stops it, and cuts open connections. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** An HTTP server on a real socket, until the test ends. */
export async function keyServer(answers: Record<string, Answer> = {}): Promise<KeyServer> {
  const paths = new Map(Object.entries(answers));
  const counts = new Map<string, number>();
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    counts.set(path, (counts.get(path) ?? 0) + 1);
    const answer = paths.get(path);
    if (typeof answer === 'function') return answer(request, response);
    if (answer === undefined) return void response.writeHead(404, { 'Content-Type': 'application/json' }).end('{}');
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = (port: number) => once(server.listen(port, '127.0.0.1'), 'listening');
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const down = async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  onTestFinished(down);
  return {
    origin: `http://127.0.0.1:${port}`,
    answers: paths,
    count: (path) => counts.get(path) ?? 0,
    down,
    up: () => listen(port).then(() => {}),
  };
}
