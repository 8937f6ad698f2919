import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import pg from 'pg';
import { formatToken } from '../../src/domain/token-format.js';
import { between, pause } from './lib/numbers.js';
import { Report } from './lib/report.js';
import { startService } from './lib/services.js';
import { openPostern, type StoreName } from './lib/stores.js';
import { startWorker } from './lib/workers.js';

/**
 * Creations, with `kill -9` of the creating process at random moments: every acknowledged token works, and none is half
 * there. Each secret is printed before it is used, so that also those are tried whose creation nobody was told of.
 *
 * node --import tsx test/figures/kill.ts [creations] [rounds]
 */
const CREATIONS = Number(process.argv[2] ?? 10_000);
const ROUNDS = Number(process.argv[3] ?? 20);
const AT_ONCE = 8;

const report = new Report(`${CREATIONS} creations, kill -9 in ${ROUNDS} rounds`, 900);
const rows: (string | number)[][] = [
  ['store', 'kills', 'tried', 'acknowledged', 'there', 'there, not acknowledged', 'lost', 'half there'],
];
let lost = 0;
let half = 0;

for (const name of ['sqlite', 'postgres', 'redis'] as const) await measure(name);

report.table(rows);
report.zero('acknowledged tokens that do not work', lost);
report.zero('tokens that are half there', half);
report.end();

interface Seen {
  /** Every secret that was about to be used, as the token that it makes. */
  readonly tried: Set<string>;
  /** Token → id, of those whose creation was acknowledged. */
  readonly made: Map<string, string>;
}

async function measure(name: StoreName): Promise<void> {
  const place = await openPlace(name);
  try {
    // The tables are made before: it is creations that are killed here.
    const first = openPostern(name, place.address);
    await first.tokens.list();
    await first.close();
    const seen: Seen = { tried: new Set(), made: new Map() };
    for (let round = 1; round <= ROUNDS; round++) {
      const left = CREATIONS - seen.made.size;
      const share = Math.ceil(left / (ROUNDS - round + 1));
      await killOnce(name, place.address, seen, round === ROUNDS ? left : between(Math.ceil(share / 2), share * 1.5));
      if (round % 5 === 0) report.progress(`${name}: ${seen.made.size} acknowledged after ${round} kills`);
    }
    await judge(name, place, seen);
  } finally {
    await place.dispose();
  }
}

/** One process that makes tokens, killed a moment after so many were acknowledged. */
async function killOnce(name: StoreName, address: string, seen: Seen, target: number): Promise<void> {
  const worker = await startWorker('creator', [name, address, String(AT_ONCE)]);
  const { process: child } = worker;
  const wanted = seen.made.size + target;
  let rest = '';
  let isKilled = false;
  child.stdout?.setEncoding('latin1').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    // A last line without its end was not read whole.
    rest = lines.pop() as string;
    for (const line of lines) {
      const [what, value, id] = line.split(' ') as [string, string, string];
      if (what === 'made') seen.made.set(value, id);
      else seen.tried.add(formatToken('pst', Buffer.from(value, 'hex')));
    }
    if (seen.made.size < wanted || isKilled) return;
    isKilled = true;
    // Somewhere within the time that a creation takes.
    void pause(Math.random() * 5).then(() => child.kill('SIGKILL'));
  });
  const closed = once(child, 'close');
  await worker.ask('begin');
  const [, signal] = await closed;
  if (signal !== 'SIGKILL') throw new Error(`the creating process ended by itself (${signal})`);
}

/** What there is, asked of the library and, for the number of rows, of the database itself. */
async function judge(name: StoreName, place: Place, { tried, made }: Seen): Promise<void> {
  const postern = openPostern(name, place.address, { cache: false });
  /** Id → how many secrets work for it. */
  const working = new Map<string, number>();
  const missing: unknown[] = [];
  for (const token of tried) {
    const answer = await postern.authenticate(token);
    const id = made.get(token);
    if (answer.ok) working.set(answer.principal.tokenId, (working.get(answer.principal.tokenId) ?? 0) + 1);
    if (id !== undefined && !(answer.ok && answer.principal.tokenId === id)) missing.push({ id, answer });
  }
  for (const [token, id] of made)
    if (!tried.has(token)) missing.push({ id, problem: 'its secret was never announced' });
  const listed = new Set<string>();
  for (let cursor: string | null = null; ; ) {
    const page = await postern.tokens.list({ organization: '*', limit: 1_000, cursor });
    for (const { id } of page.items) listed.add(id);
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  const recorded = new Set<string>();
  for (let cursor: string | null = null; ; ) {
    const page = await postern.audit.list({ organization: '*', type: 'token.created', limit: 1_000, cursor });
    for (const { subject } of page.items) recorded.add(subject);
    cursor = page.nextCursor;
    if (cursor === null) break;
  }
  await postern.close();

  const broken = [...new Set([...listed, ...recorded, ...working.keys()])].filter(
    (id) => !listed.has(id) || !recorded.has(id) || working.get(id) !== 1,
  );
  const counts = await place.count();
  const differing = Object.entries(counts).filter(([, count]) => count !== listed.size);
  report.progress(`${name}: rows ${JSON.stringify(counts)}`);
  if (differing.length > 0)
    report.zero(`${name}: tables with more or fewer rows than tokens`, differing.length, differing);
  if (missing.length > 0) report.zero(`${name}: acknowledged, and gone`, missing.length, missing);
  if (broken.length > 0) report.zero(`${name}: in one place and not in another`, broken.length, broken);
  const unacknowledged = listed.size - made.size;
  rows.push([name, ROUNDS, tried.size, made.size, listed.size, unacknowledged, missing.length, broken.length]);
  lost += missing.length;
  half += broken.length + differing.length;
}

interface Place {
  readonly address: string;
  /** How many rows there are of each kind: as many as tokens. */
  count(): Promise<Record<'tokens' | 'secrets' | 'changes', number>>;
  dispose(): Promise<void>;
}

async function openPlace(name: StoreName): Promise<Place> {
  if (name === 'sqlite') {
    const directory = mkdtempSync(join(tmpdir(), 'postern-figures-'));
    const address = join(directory, 'postern.db');
    return {
      address,
      count: async () => sqliteRows(address),
      dispose: async () => rmSync(directory, { recursive: true }),
    };
  }
  const { url, dispose } = await startService(name, { durable: true });
  return { address: url, count: () => (name === 'postgres' ? postgresRows(url) : redisRows(url)), dispose };
}

function countsSql(schema = ''): string {
  return `SELECT ${['tokens', 'secrets', 'changes'].map((t) => `(SELECT count(*) FROM ${schema}${t}) AS ${t}`).join(', ')}`;
}

function sqliteRows(filename: string) {
  const db = new (createRequire(import.meta.url)('libsql') as typeof import('libsql'))(filename);
  const { tokens, secrets, changes } = db.prepare(countsSql()).get() as Record<string, number>;
  db.close();
  return { tokens, secrets, changes } as Awaited<ReturnType<Place['count']>>;
}

async function postgresRows(url: string) {
  const client = new pg.Client(url);
  await client.connect();
  const { tokens, secrets, changes } = (await client.query(countsSql('postern.'))).rows[0];
  await client.end();
  return { tokens: Number(tokens), secrets: Number(secrets), changes: Number(changes) };
}

async function redisRows(url: string) {
  const client = new Redis(url);
  const [tokens, secrets, changes] = await Promise.all(
    ['tokens', 'secrets', 'changes'].map((key) => client.hlen(`{postern}:${key}`)),
  );
  client.disconnect();
  return { tokens, secrets, changes } as Awaited<ReturnType<Place['count']>>;
}
