import { createPostern, memoryStore } from 'postern';
import { managementApi } from 'postern/management';
import type { Store } from 'postern/store';
import { median, pause } from './lib/numbers.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openStore, type StoreName } from './lib/stores.js';

/**
 * How long many large pages at once keep everyone else waiting: the longest time between two turns of the event loop while clients
 * read pages of the largest tokens that can be made.
 *
 * node --import tsx test/figures/fat-pages.ts [clients] [stores, such as memory,sqlite,postgres] [rounds]
 */
const CLIENTS = Number(process.argv[2] ?? 40);
const STORES = (process.argv[3] ?? 'memory,sqlite').split(',') as (StoreName | 'memory')[];
const ROUNDS = Number(process.argv[4] ?? 7);
const GOAL = 50;
const TOKENS = 150;
const PAGES = {
  'by cursor': '?count=100',
  'by number': '?start=0&count=100',
  'by number, searched': '?start=0&count=100&search=fat',
};

const report = new Report(`The longest hold of the event loop, ${CLIENTS} pages of large tokens at once`, 1_800);
const rows: (string | number)[][] = [
  ['store', 'page', 'held, ms', 'of it at work', 'most', 'ms in all', 'rows', 'characters'],
];
const goals: (() => void)[] = [];

for (const name of STORES) {
  if (name === 'memory') await measure(name, memoryStore());
  else {
    const place = await openPlace(name);
    try {
      await measure(name, openStore(name, await place.address(TOKENS)));
    } finally {
      await place.dispose();
    }
  }
}
report.table(rows);
for (const say of goals) say();
report.end();

async function measure(name: string, store: Store): Promise<void> {
  const postern = createPostern({ store });
  const endpoints = Array.from({ length: 300 }, (_, index) => `e${index}-${'y'.repeat(90)}`);
  for (const id of endpoints) await postern.endpoints.create({ id, access: 'protected' });
  const metadata = { labels: [{ key: 'k', value: 'x'.repeat(16_000) }] };
  for (let index = 0; index < TOKENS; index++) {
    await postern.tokens.create({ name: `fat ${index}`, metadata, types: { user: { endpoints } } });
  }
  const { token } = await postern.tokens.create({ name: 'admin', types: { developer: { scopes: ['iam:read'] } } });
  const api = managementApi(postern);
  const get = async (query: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await api(new Request(`http://127.0.0.1/api/v1/api_tokens${query}`, { headers }));
    return new Uint8Array(await response.arrayBuffer());
  };
  for (const [page, query] of Object.entries(PAGES)) {
    const body = await get(query);
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push(await watched(() => Promise.all(Array.from({ length: CLIENTS }, () => get(query)))));
    }
    const held = rounds.map((round) => round.held);
    const { items } = JSON.parse(new TextDecoder().decode(body));
    const total = median(rounds.map((round) => round.total));
    const cpu = median(rounds.map((round) => round.cpu));
    rows.push([name, page, median(held), cpu, Math.max(...held), total, items.length, body.length]);
    goals.push(() => report.goal(`${page} on ${name}`, median(held), GOAL, ' ms'));
  }
  await postern.close();
}

/** The longest time between two turns of the event loop while `work` goes on, and how much of it this process computed. */
async function watched(work: () => Promise<unknown>): Promise<{ held: number; cpu: number; total: number }> {
  globalThis.gc?.();
  await pause(20);
  let last = performance.now();
  let lastUsed = process.cpuUsage();
  let held = 0;
  let cpu = 0;
  const ticker = setInterval(() => {
    const now = performance.now();
    const used = process.cpuUsage();
    if (now - last > held) {
      held = now - last;
      cpu = (used.user - lastUsed.user + used.system - lastUsed.system) / 1_000;
    }
    last = now;
    lastUsed = used;
  }, 1);
  const begun = performance.now();
  await work();
  const total = performance.now() - begun;
  await pause(2);
  clearInterval(ticker);
  return { held, cpu, total };
}
