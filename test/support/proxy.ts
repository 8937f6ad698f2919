import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** A way to a server that can fall silent: connections stay open, and nothing goes through them any more. */
export async function startProxy(port: number) {
  const pairs = new Set<readonly [Socket, Socket]>();
  let target = port;
  let isFrozen = false;
  let isRefusing = false;
  const proxy = createServer((near) => {
    if (isRefusing) return near.destroy();
    const far = createConnection({ port: target, host: '127.0.0.1' });
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [far, near]] as const) {
      from.on('error', () => to.destroy());
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
      from.pipe(to);
      if (isFrozen) from.unpipe(to).pause();
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port: own } = proxy.address() as { port: number };
  return {
    port: own,
    /** Where connections lead that come from now on; those that are there stay. */
    lead(to: number) {
      target = to;
    },
    /** Those that are there; `later` too: those that come as well. */
    freeze(later: boolean) {
      isFrozen = later;
      for (const [near, far] of pairs) {
        near.unpipe(far).pause();
        far.unpipe(near).pause();
      }
    },
    /** Whether connections that come are ended at once; those that are there go on. */
    refuse(refusing: boolean) {
      isRefusing = refusing;
    },
    thaw() {
      isFrozen = false;
    },
    async close() {
      for (const [near] of pairs) near.destroy();
      proxy.close();
      await once(proxy, 'close');
    },
  };
}
