import { memoryRateLimiter } from 'postern/limits';
import { Report } from './lib/report.js';
import { type ServiceName, startService } from './lib/services.js';
import { openPostern, TYPES } from './lib/stores.js';
import { startWorker } from './lib/workers.js';

/**
 * Eight processes use one token with a rate limit, as fast as they can: no window ever lets more calls through than its
 * points.
 *
 * node --import tsx test/figures/window.ts [seconds] [processes]
 */
const SECONDS = Number(process.argv[2] ?? 20);
const PROCESSES = Number(process.argv[3] ?? 8);
const POINTS = 100;
const DURATION = 2_000;

const report = new Report(
  `${PROCESSES} processes, one token, ${POINTS} calls in ${DURATION} ms, for ${SECONDS} s`,
  300,
);
const rows: (string | number)[][] = [
  ['store', 'calls', 'allowed', 'at most by the clock', 'windows', 'most in a window', 'least', 'refused'],
];
let tooMany = 0;
let twice = 0;
let otherwise = 0;

for (const name of ['postgres', 'redis'] as const) await measure(name);

report.table(rows);
report.zero('calls beyond the points of a window', tooMany);
report.zero('points given out twice', twice);
report.zero('calls refused for another reason than the limit', otherwise);
report.end();

interface Use {
  readonly begun: number;
  readonly ended: number;
  readonly remaining: number;
  readonly resetIn: number;
}

interface Consumed {
  readonly uses: readonly Use[];
  readonly others: Readonly<Record<string, number>>;
}

async function measure(name: ServiceName): Promise<void> {
  const service = await startService(name);
  // It only makes the token, for which something must count.
  const postern = openPostern(name, service.url, { rateLimiter: memoryRateLimiter() });
  try {
    const rateLimit = { points: POINTS, duration: `${DURATION}ms` } as const;
    const { token } = await postern.tokens.create({ name: 'limited', types: TYPES, rateLimit });
    const workers = await Promise.all(
      Array.from({ length: PROCESSES }, () => startWorker('consumer', [name, service.url, token])),
    );
    report.progress(`${name}: ${PROCESSES} processes are there`);
    const until = Date.now() + SECONDS * 1_000;
    const consumed = await Promise.all(workers.map((worker) => worker.ask<Consumed>('consume', until)));
    await Promise.all(workers.map((worker) => worker.end()));
    judge(name, consumed);
  } finally {
    await postern.close();
    await service.dispose();
  }
}

function judge(name: ServiceName, consumed: readonly Consumed[]): void {
  const uses = consumed.flatMap((each) => each.uses);
  const windows = windowsOf(uses);
  const sizes = windows.map((window) => window.length);
  const most = Math.max(...sizes);

  // What the windows say of themselves may be wrong; the clock is not. One begins with a call, and the next one no sooner
  // than its duration later, so this time holds no more of them.
  const span = Math.max(...uses.map(({ ended }) => ended)) - Math.min(...uses.map(({ begun }) => begun));
  const bound = POINTS * (Math.floor(span / DURATION) + 1);
  tooMany += sizes.reduce((sum, size) => sum + Math.max(0, size - POINTS), 0) + Math.max(0, uses.length - bound);
  for (const window of windows) twice += window.length - new Set(window.map(({ remaining }) => remaining)).size;

  const others = (fits: (reason: string) => boolean) =>
    consumed.reduce(
      (all, each) =>
        all + Object.entries(each.others).reduce((n, [reason, count]) => n + (fits(reason) ? count : 0), 0),
      0,
    );
  const refused = others((reason) => reason === 'rate_limited');
  const rest = others((reason) => reason !== 'rate_limited');
  otherwise += rest;
  // Too few calls to reach the limit prove nothing about it.
  report.zero(
    `${name}: windows that were not used up (the last one aside)`,
    sizes.slice(0, -1).filter((size) => size < POINTS).length,
    sizes,
  );
  rows.push([
    name,
    uses.length + refused + rest,
    uses.length,
    bound,
    windows.length,
    most,
    Math.min(...sizes),
    refused,
  ]);
}

/** Calls of one window say the same end, but for the time that an answer takes; ends are a duration apart at least. */
function windowsOf(uses: readonly Use[]): Use[][] {
  const endOf = ({ ended, resetIn }: Use) => ended + resetIn;
  const windows: Use[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const use of [...uses].sort((a, b) => endOf(a) - endOf(b))) {
    if (endOf(use) > end + DURATION / 2) {
      windows.push([]);
      end = endOf(use);
    }
    windows.at(-1)?.push(use);
  }
  return windows;
}
