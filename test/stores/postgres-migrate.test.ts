import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { describe, expect, it } from 'vitest';
import { Database } from '../../src/stores/postgres/database.js';
import { Postgres } from '../../src/stores/sql/dialects/postgres.js';
import { migrate } from '../../src/stores/sql/migrate.js';
import { MIGRATIONS, SCHEMA_VERSION, type Version } from '../../src/stores/sql/schema.js';
import { aToken, insert } from '../../src/testing/store-cases/case.js';
import { eventually } from '../support/eventually.js';
import { usePostgres } from '../support/services.js';
import { startPeer } from './child.js';
import { inPostgres } from './databases.js';
import { aDatabase, aSchema, ask } from './postgres-server.js';

const server = await usePostgres();
const nothing = { from: SCHEMA_VERSION, to: SCHEMA_VERSION, statements: [] };

describe('migrations', () => {
  const url = server.url();
  const open = (schema: string, connectionString = url) => postgresStore({ connectionString, schema });
  const tablesOf = async (schema: string) =>
    (await ask(url, 'SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1', [schema])).map(
      ({ tablename }) => tablename,
    );

  it('if ten processes start at once, one of them makes the tables, and all of them work', async () => {
    const schema = aSchema();
    const peers = Array.from({ length: 10 }, () => startPeer(inPostgres(server, schema)));
    const tell = <T>(command: string, argument?: unknown) =>
      Promise.all(peers.map((peer) => peer.tell<T>(command, argument)));
    const done = await tell<{ from: number; to: number; statements: string[] }>('migrate');
    const statements = done.flatMap((each) => each.statements);
    expect(new Set(statements).size).toBe(statements.length);
    expect(done.filter(({ from }) => from === 0)).toHaveLength(1);
    expect(new Set(done.map(({ to }) => to))).toEqual(new Set([SCHEMA_VERSION]));
    const tokens = (await tell<string[]>('create', ['one'])).flat();
    for (const token of tokens)
      expect((await tell<{ ok: boolean }>('authenticate', token)).every(({ ok }) => ok)).toBe(true);
    await tell('close');
    expect(await ask(url, `SELECT count(*)::int AS n FROM ${schema}.postern_migrations`)).toEqual([
      { n: SCHEMA_VERSION },
    ]);
  });

  it('if many stores of one process start at once, they make one schema', async () => {
    const schema = aSchema();
    const stores = Array.from({ length: 10 }, () => open(schema));
    expect(await Promise.all(stores.map((store) => store.findToken('x')))).toEqual(Array(10).fill(null));
    await Promise.all(stores.map((store) => store.close()));
  });

  it('a dry run changes nothing, and returns the statements that make the same tables by hand', async () => {
    const schema = aSchema();
    const store = open(schema);
    const planned = await store.migrate({ dryRun: true });
    expect(planned).toMatchObject({ from: 0, to: SCHEMA_VERSION });
    expect(await ask(url, 'SELECT 1 FROM pg_namespace WHERE nspname = $1', [schema])).toEqual([]);
    for (const statement of planned.statements) await ask(url, statement);
    expect(await store.migrate({ dryRun: true })).toEqual(nothing);
    expect(await store.migrate()).toEqual(nothing);
    expect(await store.findToken('x')).toBeNull();
    await store.close();
    const other = aSchema();
    const second = open(other);
    expect(await second.migrate()).toEqual({
      ...planned,
      statements: planned.statements.map((statement) => statement.replaceAll(schema, other)),
    });
    expect(await tablesOf(other)).toEqual(await tablesOf(schema));
    await second.close();
  });

  describe('to a made-up next version', () => {
    const next: Version = (dialect) => [
      `ALTER TABLE ${dialect.table('tokens')} ADD COLUMN made_up text`,
      `CREATE INDEX made_up ON ${dialect.table('tokens')} (made_up)`,
    ];
    /** A schema of this version, with a token in it, and a connection to migrate it by. */
    async function aSchemaOfOurs() {
      const schema = aSchema();
      const store = open(schema);
      await insert(store, aToken('t1'));
      const pools: pg.Pool[] = [];
      const upgrade = async (migrations: readonly Version[]) => {
        const pool = new pg.Pool({ connectionString: url, max: 1 });
        pools.push(pool);
        const dialect = new Postgres(schema);
        return migrate(new Database(pool, dialect, { timeout: 60_000, prepare: true }), dialect, migrations);
      };
      const close = () => Promise.all([store.close(), ...pools.map((pool) => pool.end())]);
      return { schema, store, upgrade, close };
    }

    it('if many begin at once, one of them migrates, and the data is kept', async () => {
      const { store, upgrade, close } = await aSchemaOfOurs();
      const done = await Promise.all(Array.from({ length: 5 }, () => upgrade([...MIGRATIONS, next])));
      const to = SCHEMA_VERSION + 1;
      expect(done.map(({ from }) => from).sort()).toEqual([SCHEMA_VERSION, to, to, to, to]);
      expect(done.flatMap(({ statements }) => statements)).toHaveLength(3);
      expect((await store.findToken('t1'))?.id).toBe('t1');
      await close();
    });

    it('a migration that fails in the middle changes nothing', async () => {
      const { schema, store, upgrade, close } = await aSchemaOfOurs();
      await expect(
        upgrade([...MIGRATIONS, (dialect) => [...next(dialect), 'SELECT no_such_function()']]),
      ).rejects.toThrow('no_such');
      expect(await ask(url, `SELECT max(version)::int AS n FROM ${schema}.postern_migrations`)).toEqual([
        { n: SCHEMA_VERSION },
      ]);
      await expect(ask(url, `SELECT made_up FROM ${schema}.tokens`)).rejects.toThrow('made_up');
      expect(await store.migrate()).toEqual(nothing);
      await close();
    });
  });

  it('a schema of a newer postern is refused and not changed', async () => {
    const schema = aSchema();
    const store = open(schema);
    await store.migrate();
    await ask(url, `INSERT INTO ${schema}.postern_migrations VALUES (${SCHEMA_VERSION + 1}, now())`);
    await store.close();
    const later = open(schema);
    const newer = { code: 'store_newer', path: 'schema' };
    await expect(later.migrate()).rejects.toMatchObject(newer);
    await expect(later.migrate({ dryRun: true })).rejects.toMatchObject(newer);
    await expect(later.findToken('x')).rejects.toMatchObject(newer);
    await later.close();
  });

  it("a schema that holds another application's table of the same name is refused and not changed", async () => {
    const schema = aSchema();
    await ask(url, `CREATE SCHEMA ${schema}`);
    await ask(url, `CREATE TABLE ${schema}.endpoints (theirs text)`);
    const store = open(schema);
    await expect(store.findToken('x')).rejects.toMatchObject({ code: 'store_invalid', path: 'schema' });
    expect(await tablesOf(schema)).toEqual(['endpoints']);
    await store.close();
  });

  it('a database of another encoding is refused', async () => {
    const latin = await aDatabase(server, "TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    const store = open('postern', latin);
    await expect(store.migrate()).rejects.toMatchObject({
      code: 'store_invalid',
      message: expect.stringContaining('LATIN1'),
    });
    await store.close();
  });

  it('a role that may not make tables works with existing ones, and a schema may have the name of a keyword', async () => {
    const database = await aDatabase(server);
    await ask(database, 'CREATE ROLE clerk LOGIN');
    const owner = open('select', database);
    await owner.migrate();
    await owner.close();
    await ask(database, 'GRANT USAGE ON SCHEMA "select" TO clerk');
    await ask(database, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "select" TO clerk');
    const clerk = open('select', database.replace('postgres@', 'clerk@'));
    clerk.subscribe?.(() => {});
    expect(await clerk.migrate()).toEqual(nothing);
    expect(await clerk.findToken('x')).toBeNull();
    expect(await clerk.confirm?.(5_000)).toEqual({ acknowledged: 1, missing: 0 });
    await clerk.close();
    const elsewhere = open('missing', database.replace('postgres@', 'clerk@'));
    await expect(elsewhere.findToken('x')).rejects.toThrow('permission denied');
    await elsewhere.close();
  });

  it('dropped tables are made again by the call after the one that failed', async () => {
    const schema = aSchema();
    const store = open(schema);
    await store.migrate();
    await ask(url, `DROP SCHEMA ${schema} CASCADE`);
    await expect(store.findToken('x')).rejects.toThrow('does not exist');
    expect(await store.findToken('x')).toBeNull();
    await store.close();
  });

  it('a migration waits for another one, and other calls meanwhile end at their deadline', async () => {
    const schema = aSchema();
    const other = new pg.Client(url);
    await other.connect();
    await other.query('BEGIN');
    await other.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [0x7073746e, schema]);
    const store = postgresStore({ connectionString: url, schema, timeout: '200ms' });
    const migrated = store.migrate();
    await expect(store.findToken('x')).rejects.toThrow(/in 200 ms/);
    await other.query('ROLLBACK');
    expect(await migrated).toMatchObject({ from: 0 });
    expect(await eventually(() => store.findToken('x'))).toBeNull();
    await other.end();
    await store.close();
  });
});
