import { PGlite } from '@electric-sql/pglite';
import { sql as tag } from 'drizzle-orm';
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import knexFactory from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import { createConnection } from 'mysql2/promise';
import pg from 'pg';
import { createPostern } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { fromDrizzle, fromKnex, fromKysely, fromPglite, fromPostgresJs, sqlStore } from 'postern/stores/sql';
import postgres from 'postgres';
import { afterAll, describe, expect, test } from 'vitest';
import { all } from '../support/lives.js';
import { useMariadb } from '../support/mariadb-server.js';
import { refusal } from '../support/outcomes.js';
import { usePostgres } from '../support/services.js';
import { aDatabase } from './mariadb-server.js';
import { aSchema } from './postgres-server.js';

/** A store that reads through the connection of an open transaction sees and remembers what is rolled back. */
describe('one connection for a store and for transactions', async () => {
  const server = await usePostgres();
  const schema = aSchema();
  const made = postgresStore({ connectionString: server.url(), schema });
  await made.migrate();
  await made.close();

  test('Drizzle over one connection of pg or mysql2 is refused', async () => {
    const client = new pg.Client({ connectionString: server.url() });
    const connection = await createConnection(await aDatabase(await useMariadb()));
    const refused = expect.objectContaining({ code: 'option_invalid' });
    expect(() => fromDrizzle(drizzle({ client }), tag, 'postgres')).toThrow(refused);
    expect(() => fromDrizzle(drizzleMysql({ client: connection }), tag, 'mysql')).toThrow(refused);
    await connection.end();
  });

  const lite = await PGlite.create();
  const knex = knexFactory({ client: 'pg', connection: server.url(), pool: { min: 1, max: 1 } });
  const sql = postgres(server.url(), { max: 1, onnotice: () => {} });
  afterAll(() => Promise.all([lite.close(), knex.destroy(), sql.end(), pool.end()]));
  const drizzled = drizzlePglite({ client: lite });
  const pool = new pg.Pool({ connectionString: server.url(), max: 1 });
  const kysely = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const clients = {
    PGlite: [fromPglite(lite), lite, (text: string) => lite.exec(text)],
    'Drizzle over PGlite': [fromDrizzle(drizzled, tag, 'postgres'), drizzled, (text: string) => lite.exec(text)],
    Kysely: [fromKysely(kysely, 'postgres'), kysely, (text: string) => pool.query(text)],
    'a pool of pg': [fromKysely(kysely, 'postgres'), pool, (text: string) => pool.query(text)],
    Knex: [fromKnex(knex, 'postgres'), knex, (text: string) => knex.raw(text)],
    'postgres.js': [fromPostgresJs(sql), sql, (text: string) => sql.unsafe(text)],
  } as const;

  test.each(Object.entries(clients))('%s after a BEGIN by hand is no transaction', async (_, [driver, client, run]) => {
    const store = sqlStore({ driver, schema });
    await store.migrate();
    const postern = createPostern({ store });
    await run('BEGIN');
    for (const within of [client, driver]) {
      const created = postern.tokens.create({ name: 'x', types: all }, { within });
      expect(await refusal(created)).toMatchObject({ code: 'input_invalid', path: 'within' });
    }
    await run('ROLLBACK');
  });
});
