import { statSync } from 'node:fs';
import pg from 'pg';
import type { Store, Usage } from 'postern/store';
import { fill } from './lib/fill.js';
import { median } from './lib/numbers.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openStore, type StoreName } from './lib/stores.js';

/**
 * The size of 90 days of daily counts, and the cost of writing them: of very many tokens, so many are used on each day, each for one
 * endpoint and for one scope.
 *
 * node --import tsx test/figures/usage-size.ts [tokens] [used on a day] [stores, such as sqlite,postgres]
 */
const TOKENS = Number(process.argv[2] ?? 1_000_000);
const USED = Number(process.argv[3] ?? 10_000);
const STORES = (process.argv[4] ?? 'sqlite,postgres').split(',') as StoreName[];
const DAYS = 90;
const BATCH = 100;
const ENDPOINTS = 50;
const GOAL = 50;
const TODAY = Math.floor(Date.now() / 86_400_000);

const report = new Report(`Daily counts: ${TOKENS} tokens, ${USED} of them used on each of ${DAYS} days`, 3_600);
const rows: (string | number)[][] = [
  ['store', 'MB before', 'MB of counts', 'bytes a row', 'ms a batch', 'longest', 'ms of a token', 'ms of all'],
];
const goals: (() => void)[] = [];
for (const name of STORES) await measure(name);
report.table(rows);
for (const say of goals) say();
report.end();

async function measure(name: StoreName): Promise<void> {
  const place = await openPlace(name);
  try {
    const address = await place.address(TOKENS);
    await fill(name, address, TOKENS, 1, () => {});
    const store = openStore(name, address);
    const ids = await idsOf(store);
    report.progress(`${name}: ${TOKENS} tokens are there`);
    const before = await sizeOf(name, address);
    const times: number[] = [];
    for (let day = TODAY - DAYS + 1; day <= TODAY; day++) {
      // Half of the tokens of a day are used every day.
      const used = Array.from({ length: USED }, (_, index) => {
        const at = index % 2 === 0 ? index : (index + day * USED) % ids.length;
        return usageOf(ids[at % ids.length] as string, day, index);
      });
      for (let start = 0; start < used.length; start += BATCH) {
        const begun = performance.now();
        await store.recordUsage(used.slice(start, start + BATCH));
        times.push(performance.now() - begun);
      }
    }
    const size = (await sizeOf(name, address)) - before;
    const read = async (of: { token: string } | { organization: string }) => {
      const begun = performance.now();
      await store.listDailyUsage({ of, from: TODAY - DAYS, to: TODAY, limit: 100_000 });
      return performance.now() - begun;
    };
    const [ofToken, ofAll] = [await read({ token: ids[0] as string }), await read({ organization: 'default' })];
    const row = [name, before / 1e6, size / 1e6, size / (2 * USED * DAYS), median(times), Math.max(...times)];
    rows.push([...row, ofToken, ofAll]);
    // Only SQLite holds the event loop meanwhile.
    if (name === 'sqlite') goals.push(() => report.goal(`a batch on ${name}`, median(times), GOAL, ' ms'));
    await store.close();
  } finally {
    await place.dispose();
  }
}

function usageOf(tokenId: string, day: number, index: number): Usage {
  const counts = [
    { day, endpoint: `endpoint-${index % ENDPOINTS}`, scope: '', count: 7 },
    { day, endpoint: '', scope: 'models:read', count: 3 },
  ];
  return { tokenId, lastUsedAt: day * 86_400_000, counts };
}

async function idsOf(store: Store): Promise<string[]> {
  const ids: string[] = [];
  let after: { createdAt: number; id: string } | undefined;
  while (ids.length < Math.min(TOKENS, 50 * USED)) {
    const page = await store.listTokens({ organization: 'default', limit: 5_000, ...(after && { after }) });
    if (page.length === 0) break;
    ids.push(...page.map(({ id }) => id));
    after = page.at(-1);
  }
  return ids;
}

/** In bytes. */
async function sizeOf(name: StoreName, address: string): Promise<number> {
  if (name === 'sqlite') {
    return [address, `${address}-wal`].reduce(
      (sum, file) => sum + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  }
  const client = new pg.Client(address);
  await client.connect();
  await client.query('VACUUM');
  const { rows: found } = await client.query('SELECT pg_database_size(current_database()) AS size');
  await client.end();
  return Number(found[0].size);
}
