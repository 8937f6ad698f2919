import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/**
 * What a pooler such as pgbouncer does to the messages of a PostgreSQL server, until the test is over. Returns its port. It numbers
 * connections itself (BackendKeyData). With `transaction`, notifications are dropped, because they come on a connection that no
 * client has at that time.
 */
export async function startPooler(port: number, mode: 'session' | 'transaction'): Promise<number> {
  const open = new Set<Socket>();
  const pooler = createServer((near) => {
    const far = createConnection({ port, host: '127.0.0.1' });
    let rest = Buffer.alloc(0);
    far.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      // Each message of the server: a letter, and a length that counts itself.
      while (rest.length >= 5 && rest.length > rest.readInt32BE(1)) {
        const message = Buffer.from(rest.subarray(0, 1 + rest.readInt32BE(1)));
        rest = rest.subarray(message.length);
        const kind = String.fromCharCode(message[0] as number);
        if (kind === 'K') message.writeInt32BE(1, 5);
        if (kind !== 'A' || mode === 'session') near.write(message);
      }
    });
    near.pipe(far);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      open.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => other.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    pooler.close();
  });
  return (pooler.address() as { port: number }).port;
}
