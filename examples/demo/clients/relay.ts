import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { HOST, INSIDE, portOf, type Running } from '../servers/serving.js';

/** A way into the cluster for clients that can't choose the address they call from: what comes here leaves from inside. */
export async function openRelay(port: number): Promise<Running> {
  const sockets = new Set<Socket>();
  const server = createServer((caller) => {
    const callee = connect({ host: HOST, port, localAddress: INSIDE });
    for (const [from, to] of [
      [caller, callee],
      [callee, caller],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.once('error', () => to.destroy());
      from.once('close', () => {
        to.destroy();
        sockets.delete(from);
      });
    }
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: portOf(server),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
