/**
 * Imports the tokens of another system into a SQLite file. A second run imports only the tokens that are missing.
 *
 *   npx tsx examples/migrating/main.ts sanctum rows.json postern.db
 *
 * The rows are a JSON array. It ends with 1 if a row could not be imported.
 */
import { readFile } from 'node:fs/promises';
import { createPostern, memoryRateLimiter } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { betterAuth } from './better-auth.js';
import { digests } from './digests.js';
import { importRows, type Source } from './import-rows.js';
import { pats } from './pats.js';
import { sanctum } from './sanctum.js';
import { unkey } from './unkey.js';

const SOURCES: Readonly<Record<string, Source<never>>> = { digests, sanctum, 'better-auth': betterAuth, unkey, pats };

const [name = '', rowsFile, filename] = process.argv.slice(2);
const source = SOURCES[name];
if (source === undefined || rowsFile === undefined || filename === undefined) {
  console.error(`usage: main.ts <${Object.keys(SOURCES).join('|')}> <rows.json> <database>`);
  process.exit(2);
}

const rows: never[] = JSON.parse(await readFile(rowsFile, 'utf8'));
const postern = createPostern({
  store: sqliteStore({ filename }),
  importedTokens: source.importedTokens,
  rateLimiter: memoryRateLimiter(),
});
try {
  const { imported, already, ended, bad } = await importRows(postern, source, rows);
  for (const line of ended) console.log(`left out: ${line}`);
  for (const line of bad) console.log(`NOT IMPORTED: ${line}`);
  console.log(`${imported} imported, ${already} here before, ${ended.length} left out, ${bad.length} not imported`);
  if (bad.length > 0) process.exitCode = 1;
} finally {
  await postern.close();
}
