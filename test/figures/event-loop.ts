import { createHash, randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import pg from 'pg';
import { createPostern, memoryStore } from 'postern';
import { managementApi } from 'postern/management';
import type { Change, NewSecret, Store, StoredToken } from 'postern/store';
import { newId } from '../../src/base/ids.js';
import { fill } from './lib/fill.js';
import { median, pause } from './lib/numbers.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openStore, type StoreName, TYPES } from './lib/stores.js';

/**
 * For how long one request of ours keeps everyone else waiting: the longest time between two turns of the event loop while
 * it is served, in an organization with very many tokens.
 *
 * node --import tsx test/figures/event-loop.ts [tokens] [stores, such as sqlite,memory,postgres] [tokens to import]
 */
const TOKENS = Number(process.argv[2] ?? 1_000_000);
const STORES = (process.argv[3] ?? 'sqlite').split(',') as (StoreName | 'memory')[];
const IMPORTED = Number(process.argv[4] ?? 5_000);
const GOAL = 50;
/** So often each request is made; a figure is the median of them, as other programs of the machine have their part in one. */
const ROUNDS = 5;
const ONCE = ['tokens.revokeOwned', 'tokens.pruneExpired'];
/** How many imports are under way at a time. */
const AT_ONCE = 200;
/** One in so many tokens belongs to the leaver, and one in so many has expired. */
const LEAVERS = 500;
const EXPIRED = 20;
const ENDPOINT = 'summarizer';
const USES = 1_000;

const report = new Report(`The longest hold of the event loop, ${TOKENS} tokens`, 3_600);
const rows: (string | number)[][] = [
  ['store', 'request', 'longest hold, ms', 'of it at work', 'longest of all', 'ms in all', 'answer'],
];
const goals: (() => void)[] = [];

for (const name of STORES) {
  if (name === 'memory') await measure(name, await filledMemory());
  else {
    const place = await openPlace(name);
    try {
      const address = await place.address(TOKENS);
      await fill(name, address, TOKENS, 1, () => {});
      report.progress(`${name}: ${TOKENS} tokens are filled in`);
      await vary(name, address);
      await measure(name, openStore(name, address));
    } finally {
      await place.dispose();
    }
  }
}
report.table(rows);
for (const say of goals) say();
report.end();

async function measure(name: string, store: Store): Promise<void> {
  const postern = createPostern({ store, importedTokens: [{ pattern: /^old_[0-9a-f]{64}$/ }] });
  const { tokens, endpoints, audit } = postern;
  await endpoints.create({ id: ENDPOINT, access: 'public' });
  await recordUses(store);
  const { token } = await tokens.create({ name: 'admin', types: { developer: { scopes: ['*'] } } });
  const api = managementApi(postern);
  const get = async (path: string) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await api(new Request(`http://127.0.0.1/api/v1/${path}`, { headers }));
    const text = await response.text();
    return `${response.status}, ${text.length} characters`;
  };
  report.progress(`${name}: ${TOKENS} tokens are there`);
  const never = 'no such name';
  const requests: Record<string, () => Promise<unknown>> = {
    'tokens.list': () => tokens.list().then(({ items }) => items.length),
    'tokens.list, 1,000': () => tokens.list({ limit: 1_000 }).then(({ items }) => items.length),
    'tokens.list, search, found at once': () => tokens.list({ search: 'figure' }).then(({ items }) => items.length),
    'tokens.list, search, found nowhere': () => tokens.list({ search: never }).then(({ items }) => items.length),
    'tokens.list, offset near the end': () => tokens.list({ offset: TOKENS - 200 }).then(({ items }) => items.length),
    'tokens.list, everywhere, of nobody': () =>
      tokens.list({ organization: '*', owner: 'nobody' }).then(({ items }) => items.length),
    'tokens.count': () => tokens.count().then(({ count }) => count),
    'tokens.count, search, found nowhere': () => tokens.count({ search: never }).then(({ count }) => count),
    'endpoints.preview': () =>
      endpoints
        .preview(ENDPOINT, { access: 'protected' })
        .then(({ loseCount, lose }) => `${loseCount} lose it, ${lose.length} are named`),
    'endpoints.list': () => endpoints.list().then(({ items }) => items.length),
    'audit.list': () => audit.list().then(({ items }) => items.length),
    'audit.list, of a type that never was': () =>
      audit.list({ type: 'token.rotated' }).then(({ items }) => items.length),
    'GET api_tokens, 1,000': () => get('api_tokens?count=1000'),
    'GET api_tokens, search, found nowhere': () => get(`api_tokens?search=${encodeURIComponent(never)}`),
    'GET preview': () => get(`endpoints/${ENDPOINT}/preview?access=protected`),
    [`tokens.import, ${AT_ONCE} at a time`]: () => importAll(tokens),
    'tokens.revokeOwned': () => tokens.revokeOwned({ owner: 'leaver' }),
    'tokens.pruneExpired': async () => `${await tokens.pruneExpired()} are gone`,
  };
  for (const [request, work] of Object.entries(requests)) {
    const rounds = [await watched(work)];
    // What ends tokens finds none the second time.
    const times = ONCE.includes(request) ? 1 : ROUNDS;
    while (rounds.length < times) rounds.push(await watched(work));
    const [{ answer }] = rounds as [(typeof rounds)[number]];
    const held = median(rounds.map((round) => round.held));
    const total = median(rounds.map((round) => round.total));
    const cpu = median(rounds.map((round) => round.cpu));
    rows.push([name, request, held, cpu, Math.max(...rounds.map((round) => round.held)), total, String(answer)]);
    goals.push(() => report.goal(`${request} on ${name}`, held, GOAL, ' ms'));
    report.progress(`${name}: ${request}: held ${held.toFixed(1)} ms, ${total.toFixed(0)} ms in all, ${answer}`);
  }
  await postern.close();
}

/** The longest time between two turns of the event loop while `work` goes on, and how much of it this process computed. */
async function watched<T>(work: () => Promise<T>): Promise<{ held: number; cpu: number; total: number; answer: T }> {
  globalThis.gc?.();
  await pause(20);
  let last = performance.now();
  let lastUsed = process.cpuUsage();
  let held = 0;
  let cpu = 0;
  const look = () => {
    const now = performance.now();
    const used = process.cpuUsage();
    if (now - last > held) {
      held = now - last;
      cpu = (used.user - lastUsed.user + used.system - lastUsed.system) / 1_000;
    }
    last = now;
    lastUsed = used;
  };
  const ticker = setInterval(look, 1);
  const begun = performance.now();
  const answer = await work();
  const total = performance.now() - begun;
  await pause(2);
  clearInterval(ticker);
  return { held, cpu, total, answer };
}

async function importAll(tokens: ReturnType<typeof createPostern>['tokens']): Promise<string> {
  const begun = performance.now();
  let left = IMPORTED;
  const worker = async () => {
    while (left-- > 0) {
      const digest = createHash('sha256').update(randomBytes(32)).digest('hex');
      await tokens.import({ digest, name: 'imported', types: TYPES });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return `${Math.round((IMPORTED * 1_000) / (performance.now() - begun))} a second`;
}

/** The newest tokens were used. */
async function recordUses(store: Store): Promise<void> {
  const used = await store.listTokens({ organization: 'default', limit: USES });
  const counts = [{ day: Math.floor(Date.now() / 86_400_000), endpoint: ENDPOINT, scope: '', count: 3 }];
  await store.recordUsage(used.map(({ id }, index) => ({ tokenId: id, lastUsedAt: Date.now() + index, counts })));
}

/** The tokens that are filled in are alike: some get a leaver as their owner, some have expired, and their times differ. */
async function vary(name: StoreName, address: string): Promise<void> {
  const expired = Date.now() - 86_400_000;
  const statements = (table: string) => [
    `UPDATE ${table} SET created_at = created_at - ${TOKENS} + seq,
      owner = CASE seq % ${LEAVERS} WHEN 1 THEN 'leaver' END,
      expires_at = CASE seq % ${EXPIRED} WHEN 2 THEN ${expired} END`,
  ];
  if (name === 'sqlite') {
    const Database = createRequire(import.meta.url)('libsql') as typeof import('libsql');
    const db = new Database(address);
    db.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000');
    for (const statement of statements('tokens')) db.exec(statement);
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    db.close();
  } else if (name === 'postgres') {
    const client = new pg.Client(address);
    await client.connect();
    for (const statement of statements('postern.tokens')) await client.query(statement);
    await client.query('VACUUM ANALYZE postern.tokens');
    await client.end();
  }
}

async function filledMemory(): Promise<Store> {
  const store = memoryStore();
  const random = (length: number) => new Uint8Array(randomBytes(length));
  const now = Date.now();
  for (let index = 0; index < TOKENS; index++) {
    const id = newId(random);
    const token: StoredToken = {
      id,
      organization: 'default',
      owner: index % LEAVERS === 1 ? 'leaver' : null,
      ownership: 'personal',
      name: 'figure',
      description: '',
      types: JSON.stringify(TYPES),
      typeNames: ['developer'],
      metadata: '{}',
      hint: 'pst_',
      limits: null,
      createdAt: now - TOKENS + index,
      updatedAt: now,
      expiresAt: index % EXPIRED === 2 ? now - 86_400_000 : null,
      revokedAt: null,
      lastUsedAt: null,
      version: 1,
    };
    const digest = randomBytes(32).toString('hex');
    const secret: NewSecret = { digest, pepper: null, createdAt: now, endsAt: null, key: null };
    const actor = { kind: 'application' } as const;
    const change: Change = {
      ...{ id: newId(random), type: 'token.created', at: token.createdAt, actor, from: null },
      ...{ organization: 'default', subject: id, before: null, after: null },
    };
    await store.insertTokens([{ token, secret, change }]);
  }
  return store;
}
