import { PGlite } from '@electric-sql/pglite';
import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import knexFactory from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { fromDrizzle, fromKnex, fromKysely, fromPglite, fromPostgresJs, sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';
import postgres from 'postgres';
import { afterAll, describe } from 'vitest';
import { usePostgres } from '../support/services.js';
import { aSchema } from './postgres-server.js';

describe('PGlite', async () => {
  const db = await PGlite.create();
  afterAll(() => db.close());
  testStore('its own driver', () => sqlStore({ driver: fromPglite(db), schema: aSchema() }));
  const driver = fromDrizzle(drizzlePglite({ client: db }), tag, 'postgres');
  testStore('through Drizzle', () => sqlStore({ driver, schema: aSchema() }));
});

describe('a real PostgreSQL', async () => {
  const server = await usePostgres();
  const sql = postgres(server.url(), { onnotice: () => {} });
  const pool = new pg.Pool({ connectionString: server.url() });
  const knex = knexFactory({ client: 'pg', connection: server.url() });
  afterAll(() => Promise.all([sql.end(), pool.end(), knex.destroy()]));
  testStore('through postgres.js', () => sqlStore({ driver: fromPostgresJs(sql), schema: aSchema() }));
  const kysely = fromKysely(new Kysely({ dialect: new PostgresDialect({ pool }) }), 'postgres');
  testStore('through Kysely', () => sqlStore({ driver: kysely, schema: aSchema() }));
  testStore('through Drizzle', () =>
    sqlStore({ driver: fromDrizzle(drizzle({ client: pool }), tag, 'postgres'), schema: aSchema() }),
  );
  testStore('through Knex', () => sqlStore({ driver: fromKnex(knex, 'postgres'), schema: aSchema() }));
});
