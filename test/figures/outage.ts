import { pause, sharedClock } from './lib/numbers.js';
import { Report } from './lib/report.js';
import { type Service, type ServiceName, startService } from './lib/services.js';
import { createTokens, openPostern } from './lib/stores.js';
import { startWorker, type Worker } from './lib/workers.js';

/**
 * PostgreSQL and Redis stopped and started again while several processes verify good tokens, revoked ones and garbage:
 * whatever is answered is right, or `unavailable`, and it is right again without a restart. Before each outage a token is
 * revoked: no process may allow it once `cache.ttl` has passed since.
 *
 * node --import tsx test/figures/outage.ts [outages]
 */
const OUTAGES = Number(process.argv[2] ?? 6);
const WORKERS = 3;
const TTL = 1_000;
const DOWN = 3_000;
/** Nothing was unavailable for so long: it is over. */
const CALM = 2_000;
/** Longer than this without an answer is no recovery. */
const PATIENCE = 30_000;

const report = new Report(`${OUTAGES} outages of ${DOWN} ms each, ${WORKERS} processes, cache.ttl ${TTL} ms`, 600);
const rows: (string | number)[][] = [
  [
    'store',
    'stopped',
    'decisions',
    'unavailable',
    'right again after ms',
    'revoked token allowed for ms',
    'longest ms',
  ],
];
const wrongAllows: unknown[] = [];
const wrongRefusals: unknown[] = [];
let stuck = 0;
let unfelt = 0;

for (const name of ['postgres', 'redis'] as const) await measure(name);

report.table(rows);
report.zero(
  'wrong allows (revoked, garbage, or a revoked token later than cache.ttl)',
  wrongAllows.length,
  wrongAllows,
);
report.zero(
  'wrong refusals (a good token unknown or revoked, another reason than the right one)',
  wrongRefusals.length,
  wrongRefusals,
);
report.zero('processes that did not recover', stuck);
report.zero('outages that a process did not feel', unfelt);
report.end();

async function measure(name: ServiceName): Promise<void> {
  const service = await startService(name, { durable: true });
  const postern = openPostern(name, service.url);
  try {
    const good = await createTokens(postern, 50);
    const revoked = await createTokens(postern, 50);
    for (const { id } of revoked) await postern.tokens.revoke(id);
    const workers = await Promise.all(
      Array.from({ length: WORKERS }, () => startWorker('caller', [name, service.url, String(TTL)])),
    );
    const tokens = { good: good.map(({ token }) => token), revoked: revoked.map(({ token }) => token) };
    for (const worker of workers) await worker.ask('begin', tokens);
    for (let outage = 0; outage < OUTAGES; outage++) {
      await goThrough(outage % 2 === 0 ? 'calm' : 'crash', { service, postern, workers });
    }
    await Promise.all(workers.map((worker) => worker.ask('rest')));
    await Promise.all(workers.map((worker) => worker.end()));
  } finally {
    await postern.close();
    await service.dispose();
  }
}

interface Setting {
  readonly service: Service;
  readonly postern: ReturnType<typeof openPostern>;
  readonly workers: readonly Worker[];
}

async function goThrough(how: 'calm' | 'crash', { service, postern, workers }: Setting): Promise<void> {
  // This process has been through the last outage too: that it can write again is a part of the figure.
  const [doomed] = await createTokens(postern, 1);
  for (const worker of workers) {
    if (!(await worker.ask('doom', doomed?.token))) throw new Error('a new token was not allowed');
    await worker.ask('counts');
  }
  await pause(500);
  await postern.tokens.revoke(doomed?.id as string);
  const revokedAt = sharedClock();
  await service.stop(how);
  await pause(DOWN);
  await service.start();
  const upAt = sharedClock();

  const states = await Promise.all(workers.map((worker) => settled(worker, upAt)));
  const counted = await Promise.all(workers.map((worker) => worker.ask<Counted>('counts')));
  const sum = (fits: (key: string) => boolean) =>
    counted.reduce(
      (all, { counts }) => all + Object.entries(counts).reduce((n, [key, count]) => n + (fits(key) ? count : 0), 0),
      0,
    );
  const recovery = states.map((state) => Math.max(0, (state.lastUnavailable ?? 0) - upAt));
  const allowedFor = states.map((state) => state.lastDoomed - revokedAt);
  for (const time of allowedFor) if (time > TTL) wrongAllows.push({ store: service.name, how, allowedForMs: time });
  for (const wrong of counted.flatMap((each) => each.wrong)) {
    (wrong.verdict === 'allowed' || wrong.verdict === 'revived' ? wrongAllows : wrongRefusals).push({
      store: service.name,
      how,
      ...wrong,
    });
  }
  stuck += states.filter((state) => !state.isSettled).length;
  unfelt += counted.filter(({ counts }) => !counts['good:unavailable']).length;
  const longest = Math.max(...counted.map((each) => each.longest));
  const unavailable = sum((key) => key.endsWith(':unavailable'));
  const figures = [Math.max(...recovery), Math.max(0, ...allowedFor), longest].map(Math.round);
  rows.push([service.name, how, sum(() => true), unavailable, ...figures]);
  report.progress(`${service.name}, ${how}: ${unavailable} unavailable, right again ${figures[0]} ms after its start`);
}

interface State {
  readonly now: number;
  readonly lastUnavailable: number | null;
  readonly lastAllowed: number;
  readonly lastDoomed: number;
  readonly isRefused: boolean;
}

interface Counted {
  readonly counts: Readonly<Record<string, number>>;
  readonly wrong: readonly { readonly kind: string; readonly verdict: string }[];
  readonly longest: number;
}

/** Waits until a process has answered rightly for a while: good tokens are allowed, and the revoked one is not. */
async function settled(worker: Worker, upAt: number): Promise<State & { isSettled: boolean }> {
  for (;;) {
    const state = await worker.ask<State>('state');
    const { now, lastUnavailable, lastAllowed, isRefused } = state;
    const isCalm = now - Math.max(upAt, lastUnavailable ?? 0) > CALM && now - lastAllowed < CALM / 2 && isRefused;
    if (isCalm || now - upAt > PATIENCE) return { ...state, isSettled: isCalm };
    await pause(100);
  }
}
