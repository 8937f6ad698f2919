/**
 * How many rows a second `postern api-token import` and `prune` work through, on SQLite, PostgreSQL and Redis, with the processor
 * time of a row in the command's process.
 *
 *   node --import tsx test/figures/import.ts [rows] [stores]
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../../src/cli/run.js';
import { openPlace } from './lib/places.js';
import { Report } from './lib/report.js';
import { openPostern, type StoreName } from './lib/stores.js';

const ROWS = Number(process.argv[2] ?? 100_000);
const STORES = (process.argv[3] ?? 'sqlite,postgres,redis').split(',') as StoreName[];
const GOAL = 5_000;
const SCHEMES = { sqlite: (path: string) => `sqlite:${path}`, postgres: String, redis: String } as const;

const report = new Report(`${ROWS} rows imported and pruned by the command`, 3_600);
const folder = mkdtempSync(join(tmpdir(), 'postern-import-'));
const config = join(folder, 'postern.config.mjs');
writeFileSync(config, 'export default { importedTokens: [{ pattern: /^old-[0-9a-f]{64}$/ }] };');
const ends = new Date(Date.now() + 86_400_000);
const rows = join(folder, 'rows.ndjson');
writeFileSync(
  rows,
  Array.from({ length: ROWS }, (_, number) => {
    const digest = createHash('sha256').update(`old-${number}`).digest('hex');
    const types = { developer: { scopes: ['models:read'] } };
    return `${JSON.stringify({ digest, name: `key ${number}`, owner: `person ${number % 1_000}`, types, expiresAt: ends })}\n`;
  }).join(''),
);

/** Runs the command in this process, and returns its figures for a row of the table. */
async function measured(args: readonly string[], now = Date.now) {
  let out = '';
  const write = (text: string) => {
    out += text;
  };
  const begun = performance.now();
  const processor = process.cpuUsage();
  const code = await run({
    args,
    env: {},
    stdin: process.stdin,
    stdout: { write },
    stderr: { write },
    platform: process.platform,
    clock: now,
    wait: async () => {},
    openBrowser: () => {},
    onStop: () => () => {},
  });
  const { user, system } = process.cpuUsage(processor);
  const perSecond = (ROWS * 1_000) / (performance.now() - begun);
  return { code, out, perSecond, each: (user + system) / ROWS };
}

const table: (string | number)[][] = [['store', 'work', 'rows/s', 'µs of processor a row']];
for (const name of STORES) {
  const place = await openPlace(name);
  try {
    const address = await place.address(ROWS);
    const store = openPostern(name, address);
    await store.tokens.list({ limit: 1 });
    const target = ['--store', SCHEMES[name](address), '--config', config];
    const imported = await measured(['api-token', 'import', rows, ...target]);
    report.zero(`${name}: rows that were not imported`, imported.out.startsWith(`${ROWS} imported, 0 `) ? 0 : ROWS, [
      imported.out,
    ]);
    const again = await measured(['api-token', 'import', rows, ...target]);
    report.zero(`${name}: rows that came twice`, again.out.startsWith(`0 imported, ${ROWS} already`) ? 0 : ROWS, [
      again.out,
    ]);
    const later = () => ends.getTime() + 60_000;
    const pruned = await measured(['api-token', 'prune', '--older-than', '1s', '--yes', ...target], later);
    report.zero(`${name}: rows that are left`, (await store.tokens.count()).count, [pruned.out]);
    for (const [work, { perSecond, each }] of Object.entries({ imported, again, pruned }))
      table.push([name, work, Math.round(perSecond), each]);
    for (const { perSecond } of [imported, pruned])
      console.log(
        `${perSecond >= GOAL ? 'met ' : 'MISS'} ${name}: ${Math.round(perSecond)} rows/s (goal: at least ${GOAL})`,
      );
    await store.close();
  } finally {
    await place.dispose();
  }
}
rmSync(folder, { recursive: true, force: true });
report.table(table);
report.end();
