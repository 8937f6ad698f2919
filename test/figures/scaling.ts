import { readdirSync, readFileSync } from 'node:fs';
import pg from 'pg';
import { fill } from './lib/fill.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openPostern, openStore } from './lib/stores.js';

/**
 * The parts of docs/scaling.md: lookups of one PostgreSQL, and batches of usage (100 tokens of one organization) by the number of
 * processes that write at once. The processor time holds on a busy machine too; calls a second hold only on a quiet one, and for a
 * server that shares it with its clients. Linux only.
 *
 * node --import tsx test/figures/scaling.ts [tokens] [seconds of each part]
 */
const TOKENS = Number(process.argv[2] ?? 20_000);
const SECONDS = Number(process.argv[3] ?? 3);
const BATCH = 100;

const report = new Report(`One PostgreSQL, ${TOKENS} tokens, ${SECONDS} s of each part`, 300);
const rows: (string | number)[][] = [['part', 'at once', 'a second', 'server CPU us each', 'client CPU us each']];
const place = await openPlace('postgres');
try {
  const address = await place.address(TOKENS);
  const client = new pg.Client(address);
  await client.connect();
  const { rows: backends } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const postmaster = statOf(String(backends[0]?.pid))?.parent ?? '';
  const tokens = await fill('postgres', address, TOKENS, TOKENS, () => {});
  const postern = openPostern('postgres', address, { cache: false });
  let wrong = 0;
  const ids = new Set<string>();
  for (const token of tokens.slice(0, 2_000)) {
    const answer = await postern.authenticate(token);
    if (answer.ok) ids.add(answer.principal.tokenId);
  }
  await measure(postmaster, 'lookup', 50, async (turn) => {
    if (!(await postern.authenticate(tokens[turn % tokens.length] as string)).ok) wrong++;
  });
  await postern.close();

  const known = [...ids];
  const stores = Array.from({ length: 10 }, () => openStore('postgres', address));
  const day = Math.floor(Date.now() / 86_400_000);
  for (const writers of [1, 10]) {
    await measure(postmaster, `batch of ${BATCH} tokens`, writers, async (turn, writer) => {
      const start = (turn * BATCH) % (known.length - BATCH);
      const usages = known.slice(start, start + BATCH).map((tokenId) => ({
        tokenId,
        lastUsedAt: Date.now(),
        counts: [{ day, endpoint: 'summarizer', scope: '', count: 1 }],
      }));
      await stores[writer]?.recordUsage(usages);
    });
  }
  await Promise.all(stores.map((store) => store.close?.()));
  await client.end();
  report.table(rows);
  report.zero('lookups with a wrong answer', wrong);
} finally {
  await place.dispose();
}
report.end();

/** Calls of `act`, so many at once, for some seconds. */
async function measure(
  postmaster: string,
  part: string,
  atOnce: number,
  act: (turn: number, worker: number) => Promise<void>,
): Promise<void> {
  let turn = 0;
  const run = async (milliseconds: number) => {
    const end = performance.now() + milliseconds;
    const worker = async (_: unknown, index: number) => {
      while (performance.now() < end) await act(turn++, index);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  };
  // Connections are opened, and code is compiled.
  await run(500);
  turn = 0;
  const server = cpuOfServer(postmaster);
  const client = process.cpuUsage();
  const begun = performance.now();
  await run(SECONDS * 1000);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(client);
  rows.push([part, atOnce, turn / seconds, (cpuOfServer(postmaster) - server) / turn, (user + system) / turn]);
  report.progress(`${part}, ${atOnce} at once`);
}

/** The processor time of the server's processes so far, in microseconds (proc_pid_stat(5): fields 4, 14 and 15). */
function cpuOfServer(postmaster: string): number {
  const stats = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statOf);
  return stats.reduce((sum, stat) => sum + (stat?.parent === postmaster ? stat.cpu : 0), 0);
}

function statOf(pid: string): { parent: string; cpu: number } | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    return { parent: fields[1] ?? '', cpu: (Number(fields[11]) + Number(fields[12])) * 10_000 };
  } catch {
    return null;
  }
}
