import { join } from 'node:path';
import Database from 'libsql';
import { countingStore } from '../lib/counting-store.mjs';
import { micros, ratios, spread } from '../lib/figures.mjs';
import { again, measure, shuffled } from '../lib/measure.mjs';
import { load, loadInternals } from '../lib/postern.mjs';
import { fillSqlite, temporaryDirectory } from '../lib/sqlite-file.mjs';
import { freshStrings, prepared, SCOPE, warm } from '../lib/tokens.mjs';

/** What a verification can't do without, had it a table of its own made for it. */
const NEEDED = 't.id, t.organization, t.owner, t.ownership, t.types, t.expires_at, t.revoked_at, s.ends_at';
const POINT_READ = (columns) => `SELECT ${columns} FROM secrets s JOIN tokens t ON t.seq = s.token WHERE s.digest = ?`;

export async function run(settings) {
  const count = settings.quick ? 10_000 : 100_000;
  const filename = join(temporaryDirectory(), 'postern.db');
  const tokens = shuffled(await fillSqlite(filename, count, settings.progress));
  const { createPostern } = await load('index');
  const { sqliteStore } = await load('stores/sqlite');
  const { hash, createDigester } = await loadInternals(`export { hash, createDigester } from './src/base/digest.ts';`);

  const { store, counts } = countingStore(sqliteStore({ filename, driver: 'libsql' }));
  const postern = createPostern({ store, cache: false });
  const requirement = prepared(postern, SCOPE);
  const [reads, writes] = await perVerification(postern, tokens.slice(0, 1_000), requirement, counts);

  const db = new Database(filename);
  const digester = createDigester([]);
  const row = db.prepare(POINT_READ('*'));
  const needed = db.prepare(POINT_READ(NEEDED));
  const nextDigest = freshStrings(tokens.map((token) => digester.write(hash(token)).digest));
  const next = freshStrings(tokens);
  if (row.get(nextDigest()) === undefined) throw new Error('the bare read finds nothing');

  const bare = { name: 'bare point read, the whole row', op: () => row.get(nextDigest()) };
  const narrow = { name: 'bare point read, only the columns that are needed', op: () => needed.get(nextDigest()) };
  const ours = {
    name: 'postern authorize, cache: false',
    async: true,
    op: () => postern.authorize({ token: next(), zone: 'external', requirement }),
  };
  const cases = [bare, again(bare), narrow, ours, again(ours)];
  const samples = await measure(cases, settings);
  const of = ({ name }) => samples.get(name);
  const twins = [bare, ours].map((one) => ratios(of(one), of(again(one))));
  await postern.close();
  db.close();
  const cost = (against, stretch) => ({
    goal: '3',
    what: `cold verification on SQLite, against: ${against.name}`,
    atMost: 2,
    stretch,
    unit: 'x',
    twins,
    values: ratios(of(ours), of(against)),
  });
  return {
    tables: [
      {
        head: ['case', 'a call', `of ${bare.name}`],
        rows: cases.map((one) => [one.name, micros(of(one)), spread(ratios(of(one), of(bare)), 'x')]),
      },
    ],
    notes: [
      `${count.toLocaleString('en-US')} tokens, asked for in random order; libsql for both; the same file.`,
      `Of one verification: ${reads} store reads, ${writes} writes.`,
    ],
    goals: [
      cost(bare, 1.3),
      cost(narrow, 1.3),
      { goal: '3', what: 'store reads of a cold verification', atMost: 1, values: [reads] },
      { goal: '3', what: 'store writes of a cold verification', atMost: 0, values: [writes] },
    ],
  };
}

async function perVerification(postern, tokens, requirement, counts) {
  const before = { ...counts };
  await warm(postern, tokens, requirement);
  return [(counts.reads - before.reads) / tokens.length, (counts.writes - before.writes) / tokens.length];
}
