import { PGlite } from '@electric-sql/pglite';
import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/node-postgres';
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite';
import knexFactory from 'knex';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { fromDrizzle, fromKysely, fromPglite, sqlStore } from 'postern/stores/sql';
import postgres from 'postgres';
import { afterAll, beforeAll, describe } from 'vitest';
import { usePostgres } from '../support/services.js';
import { aSchema, ask } from './postgres-server.js';
import { type Shop, testWithin } from './within-cases.js';

const TABLE = 'CREATE TABLE orders (id text PRIMARY KEY)';
const INSERT = 'INSERT INTO orders (id) VALUES ($1)';

describe('a real PostgreSQL', async () => {
  const server = await usePostgres();
  const schema = aSchema();
  const pool = new pg.Pool({ connectionString: server.url() });
  const sql = postgres(server.url(), { onnotice: () => {} });
  const knex = knexFactory({ client: 'pg', connection: server.url() });
  const kysely = new Kysely<{ orders: { id: string } }>({ dialect: new PostgresDialect({ pool }) });
  const db = drizzle({ client: pool });
  beforeAll(async () => {
    await ask(server.url(), TABLE);
    const store = postgresStore({ connectionString: server.url(), schema });
    await store.migrate();
    await store.close();
  });
  afterAll(() => Promise.all([sql.end(), pool.end(), knex.destroy()]));

  const shop = {
    open: () => postgresStore({ connectionString: server.url(), schema, heartbeat: '100ms' }),
    orders: async () => (await ask(server.url(), 'SELECT id FROM orders')).map(({ id }) => id as string),
  };

  testWithin('a client of pg', {
    ...shop,
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await work(client);
        await client.query('COMMIT');
      } catch (error) {
        await client.query('ROLLBACK');
        throw error;
      } finally {
        client.release();
      }
    },
    order: (tx, id) => (tx as pg.PoolClient).query(INSERT, [id]),
  });

  const onKysely: Shop = {
    ...shop,
    transaction: (work) => kysely.transaction().execute(work),
    order: (tx, id) => (tx as typeof kysely).insertInto('orders').values({ id }).execute(),
  };
  testWithin('Kysely', onKysely);
  let trx: typeof kysely | null = null;
  testWithin("a driver over Kysely's transaction", {
    ...onKysely,
    transaction: (work) =>
      kysely.transaction().execute((given) => {
        trx = given;
        return work(fromKysely(given, 'postgres'));
      }),
    order: (_, id) => onKysely.order(trx as object, id),
  });

  testWithin('Knex', {
    ...shop,
    transaction: (work) => knex.transaction((given) => work(given)),
    order: (tx, id) => (tx as typeof knex)('orders').insert({ id }),
  });

  testWithin('Drizzle', {
    ...shop,
    transaction: (work) => db.transaction((tx) => work(tx)),
    order: (tx, id) => (tx as typeof db).execute(tag`INSERT INTO orders (id) VALUES (${id})`),
  });

  testWithin('postgres.js', {
    ...shop,
    transaction: (work) => sql.begin((tx) => work(tx)) as Promise<void>,
    order: (tx, id) => (tx as typeof sql)`INSERT INTO orders (id) VALUES (${id})`,
  });
});

describe('PGlite', async () => {
  const client = await PGlite.create();
  await client.exec(TABLE);
  const db = drizzlePglite({ client });
  const schema = aSchema();
  const direct = sqlStore({ driver: fromPglite(client), schema });
  await direct.migrate();
  afterAll(() => client.close());

  const orders = async () => (await client.query<{ id: string }>('SELECT id FROM orders')).rows.map(({ id }) => id);
  const shop = { orders, isAlone: true, isTold: false };
  testWithin('its own transaction', {
    ...shop,
    open: () => sqlStore({ driver: fromPglite(client), schema }),
    transaction: (work) => client.transaction((tx) => work(tx)),
    order: (tx, id) => (tx as PGlite).query(INSERT, [id]),
  });
  testWithin('Drizzle', {
    ...shop,
    open: () => sqlStore({ driver: fromDrizzle(db, tag, 'postgres'), schema }),
    transaction: (work) => db.transaction((tx) => work(tx)),
    order: (tx, id) => (tx as typeof db).execute(tag`INSERT INTO orders (id) VALUES (${id})`),
  });
});
