import { writeFileSync } from 'node:fs';
import { sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it } from 'vitest';
import { Sqlite } from '../../src/stores/sql/dialects/sqlite.js';
import { MIGRATIONS, SCHEMA_VERSION } from '../../src/stores/sql/schema.js';
import { Connection } from '../../src/stores/sqlite/connection.js';
import { upgrade } from '../../src/stores/sqlite/migrate.js';
import { aToken, insert } from '../../src/testing/store-cases/case.js';
import { ask, bytesOf, Libsql, script, testDirectory } from './sqlite-files.js';

const { aFile, beside } = testDirectory();
const nothing = { from: SCHEMA_VERSION, to: SCHEMA_VERSION, statements: [] };
const same = { ...nothing, differences: [] };

it('migrate returns all statements for a new file, and none for a current one', async () => {
  const file = aFile();
  const store = sqliteStore({ filename: file });
  const done = await store.migrate();
  expect(done).toMatchObject({ from: 0, to: SCHEMA_VERSION });
  expect(done.statements.join('\n')).toMatch(/CREATE TABLE tokens[\s\S]*CREATE TABLE changes/);
  expect(await store.migrate()).toEqual(nothing);
  await store.close();
  const again = sqliteStore({ filename: file });
  expect(await again.migrate({})).toEqual(nothing);
  await again.close();
});

it.each([
  ['that is missing', false],
  ['that is empty', true],
])('a dry run on a file %s changes nothing, and returns the statements that make the tables', async (_, isThere) => {
  const file = aFile();
  if (isThere) writeFileSync(file, '');
  const store = sqliteStore({ filename: file });
  const planned = await store.migrate({ dryRun: true });
  expect(planned).toMatchObject({ from: 0, to: SCHEMA_VERSION });
  expect(beside(file)).toHaveLength(isThere ? 1 : 0);
  if (isThere) expect(bytesOf(file)).toBe('');
  // They are what runs: by hand they make the same file.
  const byHand = aFile();
  script(byHand, planned.statements.join(';\n'));
  expect(await store.migrate()).toEqual(planned);
  const schemaOf = "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_master ORDER BY name)";
  expect(ask(byHand, schemaOf)).toBe(ask(file, schemaOf));
  await store.close();
});

it('a dry run on a current file returns no statements, and refuses the same files as migrate', async () => {
  const file = aFile();
  const store = sqliteStore({ filename: file });
  await store.migrate();
  expect(await store.migrate({ dryRun: true })).toEqual(same);
  await store.close();
  await expect(store.migrate({ dryRun: true })).rejects.toMatchObject({ code: 'closed' });
  expect(await sqliteStore({ filename: file }).migrate({ dryRun: true })).toEqual(same);
  const database = new Libsql(file);
  database.exec(`INSERT INTO migrations (version) VALUES (${SCHEMA_VERSION + 1})`);
  database.close();
  await expect(sqliteStore({ filename: file }).migrate({ dryRun: true })).rejects.toMatchObject({
    code: 'store_newer',
  });
});

it('a dry run in memory returns all statements', async () => {
  const store = sqliteStore({ filename: ':memory:' });
  expect(await store.migrate({ dryRun: true })).toMatchObject({ from: 0, to: SCHEMA_VERSION });
  await store.close();
});

describe('a migration to a made-up next version', () => {
  const next = () => ['ALTER TABLE tokens ADD COLUMN made_up TEXT', 'CREATE INDEX made_up ON tokens (made_up)'];
  /** A file of this version, with a token in it, and a connection to it. */
  async function aFileOfOurs() {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await insert(store, aToken('t1'));
    await store.close();
    const place = { filename: file, dialect: new Sqlite('') };
    return { file, place, db: new Connection(new Libsql(file)) };
  }

  it('is done once and keeps the data, and an older library then refuses the file', async () => {
    const { file, place, db } = await aFileOfOurs();
    const done = upgrade(db, place, [...MIGRATIONS, next]);
    expect(done).toMatchObject({ from: SCHEMA_VERSION, to: SCHEMA_VERSION + 1 });
    expect(upgrade(db, place, [...MIGRATIONS, next]).statements).toEqual([]);
    db.close();
    expect(ask(file, 'SELECT made_up FROM tokens')).toBeNull();
    await expect(sqliteStore({ filename: file }).findToken('t1')).rejects.toMatchObject({ code: 'store_newer' });
  });

  it('changes nothing if it fails in the middle', async () => {
    const { file, place, db } = await aFileOfOurs();
    expect(() => upgrade(db, place, [...MIGRATIONS, () => [...next(), 'SELECT no_such_function()']])).toThrow(
      'no_such',
    );
    db.close();
    expect(ask(file, 'SELECT max(version) FROM migrations')).toBe(SCHEMA_VERSION);
    const store = sqliteStore({ filename: file });
    expect(await store.migrate()).toEqual(nothing);
    expect((await store.findToken('t1'))?.id).toBe('t1');
    await store.close();
  });
});

describe('two prefixes in one file', () => {
  it('are made and upgraded each by itself', async () => {
    const file = aFile();
    const first = sqliteStore({ filename: file, prefix: 'a_' });
    await insert(first, aToken('t1'));
    await first.close();
    const second = sqliteStore({ filename: file, prefix: 'b_' });
    expect(await second.migrate({ dryRun: true })).toMatchObject({ from: 0, to: SCHEMA_VERSION });
    expect(await second.migrate()).toMatchObject({ from: 0, to: SCHEMA_VERSION });
    expect(await second.findToken('t1')).toBeNull();
    script(file, `INSERT INTO a_migrations (version) VALUES (${SCHEMA_VERSION + 1})`);
    expect(await second.migrate({ dryRun: true })).toEqual(same);
    await second.close();
    await expect(sqliteStore({ filename: file, prefix: 'a_' }).migrate()).rejects.toMatchObject({
      code: 'store_newer',
    });
    const again = sqliteStore({ filename: file, prefix: 'b_' });
    expect(await again.migrate()).toEqual(nothing);
    await again.close();
  });

  it.each(['A_', '1_', 'a-', "a'", 'sqlite_', 'x'.repeat(31)])('%s is no prefix', (prefix) => {
    expect(() => sqliteStore({ filename: aFile(), prefix })).toThrow(
      expect.objectContaining({ code: 'option_invalid', path: 'prefix' }),
    );
  });
});
