import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createPostern, memoryStore } from 'postern';
import { internalsOf } from '../../src/instance/internals.js';
import { leasesOf } from '../support/leases.js';
import { between, pause, percentile, sharedClock } from './lib/numbers.js';
import { Report } from './lib/report.js';
import { type ServiceName, startService } from './lib/services.js';
import { type Created, createTokens, openPostern, REQUIREMENT } from './lib/stores.js';
import { startWorker } from './lib/workers.js';

/**
 * How long after `tokens.revoke(id)` is called in one process does a client of another one see the end of its stream of
 * events? And what memory does an open lease take?
 *
 * node --import tsx test/figures/leases.ts [revocations] [streams that stay open] [leases in memory]
 */
const COUNT = Number(process.argv[2] ?? 200);
const STAYING = Number(process.argv[3] ?? 1_000);
const IN_MEMORY = Number(process.argv[4] ?? 10_000);
const TTL = 30_000;
const GOAL = 15;

const report = new Report(
  `Streams that end with their token, ${COUNT} revocations, ${STAYING} other streams open`,
  600,
);
const rows: (string | number)[][] = [['store', 'p50 ms', 'p99 ms', 'max ms', 'over ttl']];
const goals: (() => void)[] = [];
let late = 0;
let wrong = 0;
let left = 0;

for (const name of ['postgres', 'redis'] as const) await measure(name);
report.table(rows);
report.table([['an open lease', 'bytes'], ...(await bytesOfLeases())]);
for (const say of goals) say();
report.zero('streams that ended later than cache.ttl, or never', late);
report.zero('streams of other tokens that ended', wrong);
report.zero('leases left when every client was gone', left);
report.end();

async function measure(name: ServiceName): Promise<void> {
  const service = await startService(name);
  const postern = openPostern(name, service.url);
  try {
    const worker = await startWorker('streamer', [name, service.url, String(TTL)]);
    const port = await worker.ask<number>('port');
    // One socket for each stream, and no queue.
    const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
    const open = ({ token }: Created) => openStream(port, agent, token);

    const [keeper] = await createTokens(postern, 1);
    const staying: IncomingMessage[] = [];
    while (staying.length < STAYING) {
      const batch = Math.min(50, STAYING - staying.length);
      staying.push(...(await Promise.all(Array.from({ length: batch }, () => open(keeper as Created)))));
    }
    for (const stream of staying) stream.once('end', () => wrong++);

    const times: number[] = [];
    // The first calls find nothing compiled and no connection open.
    for (const each of await createTokens(postern, 20)) await timeOf(postern, open, each);
    for (const each of await createTokens(postern, COUNT)) {
      times.push(await timeOf(postern, open, each));
      // Not in step with anything that beats.
      await pause(between(0, 4));
      if (times.length % 50 === 0) report.progress(`${name}: ${times.length} of ${COUNT}`);
    }
    const over = times.filter((time) => time > TTL).length;
    const p99 = percentile(times, 99);
    rows.push([name, percentile(times, 50), p99, Math.max(...times), over]);
    goals.push(() => report.goal(`p99 on ${name}`, p99, GOAL, ' ms'));
    late += over;

    for (const stream of staying) {
      stream.removeAllListeners('end');
      stream.destroy();
    }
    left += await untilNone(() => worker.ask<number>('leases'));
    await worker.end();
  } finally {
    await postern.close();
    await service.dispose();
  }
}

/** Milliseconds from the call of `revoke` to the end of the stream, as its client sees it. */
async function timeOf(
  postern: ReturnType<typeof openPostern>,
  open: (created: Created) => Promise<IncomingMessage>,
  created: Created,
): Promise<number> {
  const stream = await open(created);
  const end = once(stream, 'end').then(() => sharedClock());
  const begun = sharedClock();
  await postern.tokens.revoke(created.id);
  const ended = await Promise.race([end, pause(TTL + 5_000).then(() => Number.POSITIVE_INFINITY)]);
  return ended - begun;
}

/** Resolves once the first event has come. */
async function openStream(port: number, agent: Agent, token: string): Promise<IncomingMessage> {
  const call = get({ port, agent, path: '/events', headers: { authorization: `Bearer ${token}` } });
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  if (response.statusCode !== 200) throw new Error(`the stream was answered with ${response.statusCode}`);
  await once(response, 'data');
  response.resume();
  return response;
}

/** The server hears of clients that left when it gets to it. */
async function untilNone(count: () => Promise<number>): Promise<number> {
  for (let round = 0; round < 100 && (await count()) > 0; round++) await pause(50);
  return count();
}

async function bytesOfLeases(): Promise<[string, number][]> {
  const postern = createPostern({ store: memoryStore() });
  const { gate } = internalsOf(postern);
  const leases = leasesOf(postern);
  const tokens = await createTokens(postern, IN_MEMORY);
  const one = tokens[0] as Created;
  for (const { token } of tokens) await gate.authorize({ token, requirement: REQUIREMENT });

  const hold = ({ token }: Created) => leases.open({ token, requirement: REQUIREMENT }, () => {});
  const signalled = ({ token }: Created) => {
    const controller = new AbortController();
    return leases.open({ token, requirement: REQUIREMENT }, (denial) => controller.abort(denial));
  };
  return [
    ['in the core, all of one token', await bytesEach(() => tokens.map(() => hold(one)))],
    ['in the core, each of its own token', await bytesEach(() => tokens.map(hold))],
    ['with its signal, all of one token', await bytesEach(() => tokens.map(() => signalled(one)))],
  ];
}

/** What a list of leases takes once they are sorted. */
async function bytesEach(open: () => { close(): void }[]): Promise<number> {
  const before = heap();
  const leases = open();
  await pause(3_000);
  const bytes = Math.round((heap() - before) / leases.length);
  for (const lease of leases) lease.close();
  return bytes;
}

function heap(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().heapUsed;
}
