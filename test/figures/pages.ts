import { managementApi } from 'postern/management';
import { fill } from './lib/fill.js';
import { median, shuffled } from './lib/numbers.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openPostern, type StoreName } from './lib/stores.js';

/**
 * What a page of tokens costs over the management API (its total included), by how many tokens are in there. The goal of issue
 * 5: out of 1,000,000 at most twice what it costs out of 1,000.
 *
 * node --import tsx test/figures/pages.ts [tokens in the largest store] [rounds] [stores, such as sqlite,postgres]
 */
const LARGEST = Number(process.argv[2] ?? 1_000_000);
const ROUNDS = Number(process.argv[3] ?? 9);
const SIZES = [1_000, LARGEST];
const STORES = (process.argv[4] ?? 'sqlite,postgres,redis').split(',') as StoreName[];
const CALLS = 50;
const GOAL = 2;
/** The pages that the console and BentoCloud's client ask for. */
const PAGES = {
  'first page': '?start=0&count=100',
  'of the organization': '?start=0&count=100&ownership=personal',
  'tenth page': '?start=900&count=100',
};

const report = new Report(`Pages of 100 tokens, ${SIZES.join(' and ')} tokens, ${ROUNDS} rounds`, 1_800);
const rows: (string | number)[][] = [
  ['store', 'page', 'tokens', 'us a page', 'min', 'max', 'against 1,000', 'min', 'max'],
];
const goals: (() => void)[] = [];
let wrong = 0;

for (const name of STORES) await measure(name);

report.table(rows);
for (const say of goals) say();
report.zero('pages with a wrong answer', wrong);
report.end();

interface Filled {
  readonly label: string;
  readonly size: number;
  readonly get: (query: string) => Promise<{ readonly total: number; readonly items: readonly unknown[] }>;
  readonly figures: Map<string, number[]>;
  close(): Promise<void>;
}

async function measure(name: StoreName): Promise<void> {
  const place = await openPlace(name);
  try {
    const stores: Filled[] = [];
    for (const size of SIZES) stores.push(await filled(name, size, await place.address(size)));
    const [least] = stores as [Filled];
    const all = [...stores, { ...least, label: '1000 again (A/A)', figures: new Map() } as Filled];
    for (let round = 0; round <= ROUNDS; round++) {
      for (const each of shuffled(all)) {
        for (const [page, query] of Object.entries(PAGES)) {
          const figure = await visit(each, query);
          // Of the first round the code was not compiled yet.
          if (round > 0) each.figures.set(page, [...(each.figures.get(page) ?? []), figure]);
        }
      }
    }
    for (const page of Object.keys(PAGES)) {
      const base = least.figures.get(page) as number[];
      for (const { label, figures } of all) {
        const own = figures.get(page) as number[];
        const growth = own.map((figure, round) => figure / (base[round] as number));
        const shown = [median(own), Math.min(...own), Math.max(...own)];
        rows.push([name, page, label, ...shown, median(growth), Math.min(...growth), Math.max(...growth)]);
        const what = `${page} on ${name}`;
        if (label.endsWith('(A/A)')) goals.push(() => report.resolution(`A/A, ${what}`, median(growth)));
        else if (label !== least.label)
          goals.push(() => report.goal(`growth, ${what}, ${label}`, median(growth), GOAL, 'x'));
      }
    }
    for (const each of stores) await each.close();
  } finally {
    await place.dispose();
  }
}

async function filled(name: StoreName, size: number, address: string): Promise<Filled> {
  await fill(name, address, size, 1, () => {});
  const postern = openPostern(name, address);
  const { token } = await postern.tokens.create({ name: 'admin', types: { developer: { scopes: ['iam:read'] } } });
  const api = managementApi(postern);
  const get = async (query: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await api(new Request(`http://127.0.0.1/api/v1/api_tokens${query}`, { headers }));
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    return (await response.json()) as { total: number; items: unknown[] };
  };
  report.progress(`${name}: ${size} tokens are there`);
  return { label: String(size), size, get, figures: new Map(), close: () => postern.close() };
}

/** Microseconds a page. */
async function visit({ get, size }: Filled, query: string): Promise<number> {
  const begun = performance.now();
  for (let i = 0; i < CALLS; i++) {
    const { total, items } = await get(query);
    // All that were filled in, and the one that asks.
    if (total !== size + 1 || items.length !== 100) wrong++;
  }
  return ((performance.now() - begun) * 1000) / CALLS;
}
