import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { startReplica } from '../support/postgres-replica.js';
import { between, pause, percentile } from './lib/numbers.js';
import { Report } from './lib/report.js';
import { startService } from './lib/services.js';
import { createTokens, REQUIREMENT } from './lib/stores.js';

/**
 * A process whose primary is 80 ms away (there and back), and a replica beside it that is 200 ms behind. How long does a verification
 * take that is not in the cache, with the replica and without it, and when is a revocation seen?
 *
 * node --import tsx test/figures/mirror.ts [tokens] [revocations]
 */
const TOKENS = Number(process.argv[2] ?? 500);
const REVOCATIONS = Number(process.argv[3] ?? 100);
const AWAY = 80;
const BEHIND = 200;

const report = new Report(`A primary ${AWAY} ms away, a replica ${BEHIND} ms behind: ${TOKENS} tokens`, 600);
const head = ['reader', 'cold p50 ms', 'cold p99 ms', 'at the replica', 'at the primary', 'seen p50 ms', 'seen p99 ms'];
const rows: (string | number)[][] = [head];
let wrong = 0;

const primary = await startService('postgres', { isReplicated: true });
const replica = await startReplica(primary);
const proxy = await startSlowProxy(primary.port, AWAY / 2);
try {
  await replica.delay(BEHIND);
  const home = createPostern({ store: postgresStore({ connectionString: primary.url }) });
  const tokens = await createTokens(home, TOKENS);
  for (const withReader of [false, true]) await measure(withReader);
  await home.close();

  async function measure(withReader: boolean): Promise<void> {
    const connectionString = `postgres://postgres@127.0.0.1:${proxy.port}/postgres`;
    const reader = withReader ? { reader: { connectionString: replica.url() } } : {};
    const store = postgresStore({ connectionString, ...reader });
    const postern = createPostern({ store, cache: { ttl: '1h' } });
    const reads = { replica: 0, primary: 0 };
    store.mirror?.watch({ used: () => {}, answered: (by) => reads[by === 'replica' ? 'replica' : 'primary']++ });
    const call = async (token: string) => (await postern.authorize({ token, requirement: REQUIREMENT })).allowed;
    // Connections are opened, the feed is found, and the replica shows a mark.
    for (let turn = 0; turn < 40; turn++) {
      await call(tokens[0]?.token ?? '');
      await pause(100);
    }
    const cold: number[] = [];
    for (const { token } of tokens.slice(1)) {
      const begun = performance.now();
      if (!(await call(token))) wrong++;
      cold.push(performance.now() - begun);
    }
    const shown = withReader ? [reads.replica, reads.primary] : [0, TOKENS];
    report.progress(`${withReader ? 'with' : 'without'} a replica: cold verifications`);
    const seen: number[] = [];
    for (const { token, id } of await createTokens(home, REVOCATIONS)) {
      if (!(await call(token))) wrong++;
      await pause(between(0, 20));
      const begun = performance.now();
      const revoked = home.tokens.revoke(id);
      while (await call(token)) await pause(0);
      seen.push(performance.now() - begun);
      await revoked;
      // It stays so while the replica still has the old state, and when that has gone.
      for (let turn = 0; turn < 3; turn++) {
        if (await call(token)) wrong++;
        await pause(BEHIND / 4);
      }
    }
    const [atReplica = 0, atPrimary = 0] = shown;
    rows.push([
      withReader ? 'replica' : 'none',
      percentile(cold, 50),
      percentile(cold, 99),
      atReplica,
      atPrimary,
      percentile(seen, 50),
      percentile(seen, 99),
    ]);
    await postern.close();
  }
} finally {
  await proxy.close();
  await replica.dispose();
  await primary.dispose();
}

report.table(rows);
report.zero('good tokens refused, or revoked ones allowed after they were refused', wrong);
report.end();

/** Everything that goes through it comes so much later. Milliseconds, one way. */
async function startSlowProxy(port: number, delay: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection({ port, host: '127.0.0.1' });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), delay));
      from.on('close', () => setTimeout(() => to.destroy(), delay));
      from.on('error', () => to.destroy());
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as { port: number }).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
