import { createPool } from 'mysql2/promise';
import pg from 'pg';
import { createPostern } from 'postern';
import { mysqlStore } from 'postern/stores/mysql';
import { postgresStore } from 'postern/stores/postgres';
import { fromSqlite, type SqlStore, sqlStore } from 'postern/stores/sql';
import { sqliteStore } from 'postern/stores/sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { aChange, anEndpoint, aToken, insert } from '../../src/testing/store-cases/case.js';
import { eventually } from '../support/eventually.js';
import { aDatabase as aMariadb, ask as askMariadb } from './mariadb-server.js';
import { aSchema, ask as askPostgres } from './postgres-server.js';
import { aFile, beside, mariadb, PLACES, type Place, postgres, printed, refusal } from './sql-schema-world.js';
import { Libsql } from './sqlite-files.js';

describe.each(Object.keys(PLACES))("migrate: 'verify' on %s", (name) => {
  const make = PLACES[name] as () => Promise<Place>;

  it('accepts the printed statements, and the store works on them', async () => {
    const place = await make();
    await place.run(await printed(place));
    const store = place.open('verify');
    expect(await store.migrate()).toMatchObject({ statements: [] });
    await insert(store, aToken('t1'));
    expect((await store.findToken('t1'))?.id).toBe('t1');
    await store.close();
  });

  it('accepts what the store itself has made', async () => {
    const place = await make();
    const maker = place.open('auto');
    await maker.migrate();
    await maker.close();
    const store = place.open('verify');
    expect(await store.findToken('t1')).toBeNull();
    await store.close();
  });

  it('refuses an empty place with the first call, names the command, and makes nothing', async () => {
    const place = await make();
    const store = place.open('verify');
    const problem = await store.findToken('t1').catch((error) => error);
    expect(problem.code).toBe('store_invalid');
    expect(problem.message).toContain(' is missing');
    expect(problem.message).toContain('postern schema --sql --dialect ');
    expect((await store.migrate({ dryRun: true })).from).toBe(0);
    await store.close();
    await place.run(await printed(place));
  });

  it.each<[what: string, statement: (place: Place) => string, said: RegExp]>([
    ['a table', ({ table }) => `DROP TABLE ${table('entries')}`, /table \w*entries is missing/],
    [
      'a column',
      ({ table }) => `ALTER TABLE ${table('endpoints')} DROP COLUMN uid`,
      /column uid of \w*endpoints is missing/,
    ],
    [
      'the version',
      ({ table }) => `DELETE FROM ${table(name.startsWith('Postgre') ? 'postern_migrations' : 'migrations')}`,
      /the version is 0, not 1/,
    ],
  ])('refuses where %s is gone', async (_, statement, said) => {
    const place = await make();
    await place.run(await printed(place));
    await place.run(statement(place));
    const store = place.open('verify');
    expect(await refusal(store)).toMatch(said);
    await store.close();
  });

  it('does not mind columns of the application that an INSERT need not name', async () => {
    const place = await make();
    await place.run(await printed(place));
    for (const column of ADDED[name] as readonly string[]) {
      await place.run(`ALTER TABLE ${place.table('tokens')} ADD COLUMN ${column}`);
    }
    const store = place.open('verify');
    await insert(store, aToken('t1'));
    expect((await store.migrate({ dryRun: true })).differences).toEqual([]);
    await store.close();
  });

  it('refuses a column of the application that each INSERT would have to name, and says what helps', async () => {
    const place = await make();
    await place.run(demanding(await printed(place)));
    const said =
      /column mine of \w*endpoints is not postern's, .* without a default, .*: give it a DEFAULT, or let it be NULL/;
    const store = place.open('verify');
    expect(await refusal(store)).toMatch(said);
    await store.close();
    const unaware = place.open('auto');
    expect((await unaware.migrate({ dryRun: true })).differences).toEqual([expect.stringMatching(said)]);
    await expect(unaware.insertEndpoint(anEndpoint('e1'), aChange('endpoint.created', 'e1'))).rejects.toThrow(/mine/);
    await unaware.close();
  });
});

/** Columns that take a value by themselves. */
const ADDED: Readonly<Record<string, readonly string[]>> = {
  'PostgreSQL, with a schema and a prefix': [
    'a integer',
    "b text NOT NULL DEFAULT ''",
    'c bigint GENERATED ALWAYS AS IDENTITY',
    'd bigserial',
    'e text NOT NULL GENERATED ALWAYS AS (name) STORED',
  ],
  MariaDB: [
    'a integer',
    "b varchar(9) NOT NULL DEFAULT ''",
    'c datetime NOT NULL DEFAULT CURRENT_TIMESTAMP',
    "d enum('x', 'y') NOT NULL",
    'e bigint AS (created_at) STORED',
    "f varchar(9) NOT NULL DEFAULT (upper('x'))",
  ],
  'SQLite, without a prefix': [
    'a INTEGER',
    "b TEXT NOT NULL DEFAULT ''",
    "c TEXT NOT NULL GENERATED ALWAYS AS (name || '!') VIRTUAL",
  ],
};

/** The printed script, with a column in the table of endpoints that has no default. SQLite adds none to a table that is there. */
function demanding(script: string): string {
  const made = script.replace(/(CREATE TABLE [^(]*endpoints \()/, '$1\n  mine INTEGER NOT NULL,');
  expect(made).not.toBe(script);
  return made;
}

describe("sqliteStore with migrate: 'verify'", () => {
  it('makes no file, and names the command that does', async () => {
    const filename = aFile();
    const store = sqliteStore({ filename, migrate: 'verify' });
    const problem = await store.findToken('t1').catch((error) => error);
    expect(problem.code).toBe('store_invalid');
    expect(problem.message).toContain(`postern migrate --store sqlite:${filename}`);
    expect(beside(filename)).toEqual([]);
    await store.close();
  });

  it('accepts a file that another store has made, and refuses it without an index', async () => {
    const filename = aFile();
    const maker = sqliteStore({ filename });
    await maker.migrate();
    await maker.close();
    const store = sqliteStore({ filename, migrate: 'verify' });
    expect(await store.findToken('t1')).toBeNull();
    await store.close();
    const database = new Libsql(filename);
    database.exec('DROP INDEX tokens_by_age');
    database.close();
    const second = sqliteStore({ filename, migrate: 'verify' });
    await expect(second.findToken('t1')).rejects.toThrow('index tokens_by_age of tokens is missing');
    await second.close();
  });

  it('refuses tables with another prefix, and names the command with its own', async () => {
    const filename = aFile();
    const maker = sqliteStore({ filename });
    await maker.migrate();
    await maker.close();
    const store = sqliteStore({ filename, prefix: 'auth_', migrate: 'verify' });
    const said = await refusal(store);
    expect(said).toContain('table auth_tokens is missing');
    expect(said).toContain(`postern migrate --store sqlite:${filename} --namespace auth_`);
    await store.close();
  });
});

describe('two prefixes in one database', () => {
  const pool = new pg.Pool({ connectionString: postgres.url() });
  const mariadbUri = aMariadb(mariadb);
  const mariadbPool = mariadbUri.then((uri) => createPool({ uri }));
  const database = new Libsql(aFile());
  const filename = aFile();
  const schema = aSchema();
  afterAll(async () => Promise.all([pool.end(), (await mariadbPool).end()]));

  it.each<[name: string, open: (prefix: string) => Promise<SqlStore>]>([
    ['PostgreSQL', async (prefix) => postgresStore({ pool, schema, prefix, heartbeat: '300ms' })],
    ['MariaDB', async (prefix) => mysqlStore({ pool: await mariadbPool, prefix, pollInterval: '20ms' })],
    ['SQLite', async (prefix) => sqlStore({ driver: fromSqlite(database), prefix, pollInterval: '20ms' })],
    ['a file of postern', async (prefix) => sqliteStore({ filename, prefix, pollInterval: '20ms' })],
  ])('on %s see nothing of each other, in tables and in the feed', async (_, open) => {
    const prefixes = ['', 'postern_', 'a_', 'a_postern_'];
    const stores = await Promise.all(prefixes.map(open));
    await Promise.all(stores.map((store) => store.migrate()));
    const heard = stores.map(() => new Set<string>());
    const instances = stores.map((store, index) => {
      store.subscribe?.((each) => {
        if (each.kind === 'token') heard[index]?.add(each.id);
      });
      return createPostern({ store });
    });
    const types = { developer: { scopes: ['*'] } } as const;
    const made = await Promise.all(instances.map((each) => each.tokens.create({ name: 'a', types })));
    for (const [index, postern] of instances.entries()) {
      const items = (await postern.tokens.list()).items.map(({ id }) => id);
      expect(items).toEqual([made[index]?.record.id]);
    }
    await Promise.all(instances.map((each, index) => each.tokens.revoke(made[index]?.record.id as string)));
    const own = made.map(({ record }) => [record.id]);
    await eventually(async () => expect(heard.map((ids) => [...ids])).toEqual(own));
    await Promise.all(instances.map((each) => each.close()));
  });

  it('on PostgreSQL do not confirm for each other', async () => {
    const [one, other] = ['one_', 'other_'].map((prefix) =>
      postgresStore({ pool, schema, prefix, heartbeat: '300ms' }),
    ) as [SqlStore, SqlStore];
    await Promise.all([one, other].map((store) => store.migrate()));
    for (const store of [one, other]) store.subscribe?.(() => {});
    await eventually(async () => expect((await other.confirm?.(5_000))?.acknowledged).toBe(1));
    expect(await one.confirm?.(5_000)).toEqual({ acknowledged: 1, missing: 0 });
    await Promise.all([one.close(), other.close()]);
  });

  it('no name of theirs is too long', async () => {
    const [schemaName, prefix] = [`s${'x'.repeat(23)}`, `p${'y'.repeat(28)}_`];
    const store = postgresStore({ pool, schema: schemaName, prefix });
    await insert(store, aToken('t1'));
    const names = await askPostgres(
      postgres.url(),
      'SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1',
      [schemaName],
    );
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter(({ relname }) => !String(relname).startsWith(prefix))).toEqual([]);
    await store.close();
    const verified = postgresStore({ pool, schema: schemaName, prefix, migrate: 'verify' });
    expect((await verified.findToken('t1'))?.id).toBe('t1');
    await verified.close();
    const long = mysqlStore({ pool: await mariadbPool, prefix });
    await insert(long, aToken('t1'));
    expect(await askMariadb(await mariadbUri, `SELECT count(*) AS n FROM ${prefix}tokens`)).toEqual([{ n: 1 }]);
    await long.close();
  });
});
