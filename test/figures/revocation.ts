import { between, pause, percentile, sharedClock } from './lib/numbers.js';
import { Report } from './lib/report.js';
import { type ServiceName, startService } from './lib/services.js';
import { type Created, createTokens, openPostern } from './lib/stores.js';
import { startWorker, type Worker } from './lib/workers.js';

/**
 * How long after `tokens.revoke(id)` is called in one process does another one refuse the token, which it has in its cache?
 * Goal 12: p99 at most 5 ms idle and 15 ms under load, never over `cache.ttl`.
 *
 * node --import tsx test/figures/revocation.ts [revocations]
 */
const COUNT = Number(process.argv[2] ?? 1_000);
const TTL = 30_000;
const PATIENCE = TTL + 5_000;
const HOT = 1_000;
const GOALS = { idle: 5, traffic: 15 } as const;
type Load = keyof typeof GOALS;

const report = new Report(`Revocation seen by a second process, ${COUNT} revocations each`, 600);
const rows: (string | number)[][] = [['store', 'second process', 'calls/s', 'p50 ms', 'p99 ms', 'max ms', 'over ttl']];
const goals: (() => void)[] = [];
let wrong = 0;
let late = 0;

for (const name of ['postgres', 'redis'] as const) await measure(name);

report.table(rows);
for (const say of goals) say();
report.zero('revocations seen later than cache.ttl, or never', late);
report.zero('tokens refused for another reason, or good tokens refused', wrong);
report.end();

async function measure(name: ServiceName): Promise<void> {
  const service = await startService(name);
  const postern = openPostern(name, service.url);
  try {
    const hot = await createTokens(postern, HOT);
    const worker = await startWorker('watcher', [name, service.url, String(TTL)]);
    await agree(worker);
    // Its first calls find nothing compiled and no connection open.
    for (const each of await createTokens(postern, 20)) await revoke(postern, worker, each);
    for (const load of ['idle', 'traffic'] as const) await measureUnder(load, { name, postern, worker, hot });
    await worker.end();
  } finally {
    await postern.close();
    await service.dispose();
  }
}

interface Setting {
  readonly name: ServiceName;
  readonly postern: ReturnType<typeof openPostern>;
  readonly worker: Worker;
  readonly hot: readonly Created[];
}

async function measureUnder(load: Load, { name, postern, worker, hot }: Setting): Promise<void> {
  const tokens = await createTokens(postern, COUNT);
  const begun = sharedClock();
  if (load === 'traffic')
    await worker.ask(
      'serve',
      hot.map(({ token }) => token),
    );
  const times: number[] = [];
  for (const each of tokens) {
    times.push(await revoke(postern, worker, each));
    // Not in step with anything that beats.
    await pause(between(0, 4));
    if (times.length % 250 === 0) report.progress(`${name}, ${load}: ${times.length} of ${COUNT}`);
  }
  const { served, refused } = await worker.ask<{ served: number; refused: number }>('rest');
  const over = times.filter((time) => time > TTL).length;
  const p99 = percentile(times, 99);
  const rate = Math.round((load === 'traffic' ? served : 0) / ((sharedClock() - begun) / 1000));
  rows.push([name, load, rate, percentile(times, 50), p99, Math.max(...times), over]);
  goals.push(() => report.goal(`p99 on ${name}, ${load}`, p99, GOALS[load], ' ms'));
  late += over;
  wrong += refused;
}

/** Milliseconds from the call of `revoke` in this process to the first refusal in the other. */
async function revoke(
  postern: ReturnType<typeof openPostern>,
  worker: Worker,
  { token, id }: Created,
): Promise<number> {
  await worker.ask('watch', { token, patience: PATIENCE });
  const begun = sharedClock();
  await postern.tokens.revoke(id);
  const { at, reason } = await worker.ask<{ at: number; reason: string | null }>('refusal');
  if (reason === null) return Number.POSITIVE_INFINITY;
  if (reason !== 'token_revoked' || at < begun) wrong++;
  return at - begun;
}

/** Both processes must read one clock: what the other one reads lies between two readings here. */
async function agree(worker: Worker): Promise<void> {
  let widest = 0;
  for (let round = 0; round < 100; round++) {
    const before = sharedClock();
    const there = await worker.ask<number>('clock');
    const after = sharedClock();
    if (there < before || there > after) throw new Error(`the clocks disagree: ${before}, ${there}, ${after}`);
    widest = Math.max(widest, after - before);
  }
  report.progress(`both processes read one clock (100 exchanges, the longest took ${widest.toFixed(1)} ms)`);
}
