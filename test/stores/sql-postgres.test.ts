import { PGlite } from '@electric-sql/pglite';
import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import knexFactory from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import {
  fromDrizzle,
  fromKnex,
  fromKysely,
  fromPglite,
  fromPostgresJs,
  type SqlDriver,
  sqlStore,
} from 'postern/stores/sql';
import postgres from 'postgres';
import { afterAll, describe } from 'vitest';
import { usePostgres } from '../support/services.js';
import { emptyingSchema } from './one-place.js';
import { aSchema, ask } from './postgres-server.js';
import { testRow } from './table.js';

const row = (database: string, driver: string, over: SqlDriver, run: (sql: string) => Promise<unknown>) =>
  testRow({
    database,
    driver,
    place: aSchema,
    empty: (schema) => run(emptyingSchema(schema)),
    open: (schema, migrate) => sqlStore({ driver: over, schema, migrate }),
  });

describe('in the process', async () => {
  const db = await PGlite.create();
  afterAll(() => db.close());
  const run = (sql: string) => db.exec(sql);
  row('PGlite', 'its own', fromPglite(db), run);
  row('PGlite', 'Drizzle', fromDrizzle(drizzlePglite({ client: db }), tag, 'postgres'), run);
});

describe('a real server', async () => {
  const server = await usePostgres();
  const sql = postgres(server.url(), { onnotice: () => {} });
  const pool = new pg.Pool({ connectionString: server.url() });
  const knex = knexFactory({ client: 'pg', connection: server.url() });
  afterAll(() => Promise.all([sql.end(), pool.end(), knex.destroy()]));
  const run = (sql: string) => ask(server.url(), sql);
  row('PostgreSQL', 'postgres.js', fromPostgresJs(sql), run);
  row('PostgreSQL', 'Kysely', fromKysely(new Kysely({ dialect: new PostgresDialect({ pool }) }), 'postgres'), run);
  row('PostgreSQL', 'Drizzle', fromDrizzle(drizzle({ client: pool }), tag, 'postgres'), run);
  row('PostgreSQL', 'Knex', fromKnex(knex, 'postgres'), run);
});
