import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import knexFactory from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import { createPool as createMariadbPool, type PoolConnection as MariadbConnection } from 'mariadb';
import { createPool, type PoolConnection } from 'mysql2';
import type { PoolConnection as PromiseConnection } from 'mysql2/promise';
import { mysqlStore } from 'postern/stores/mysql';
import { afterAll, beforeAll, describe } from 'vitest';
import { useMariadb } from '../support/mariadb-server.js';
import { aDatabase, ask } from './mariadb-server.js';
import { testWithin } from './within-cases.js';

const INSERT = 'INSERT INTO orders (id) VALUES (?)';

describe('a real MariaDB', async () => {
  const uri = await aDatabase(await useMariadb());
  const pool = createPool({ uri });
  const mariadb = createMariadbPool(uri.replace('mysql:', 'mariadb:'));
  const knex = knexFactory({ client: 'mysql2', connection: uri });
  const kysely = new Kysely<{ orders: { id: string } }>({ dialect: new MysqlDialect({ pool }) });
  const db = drizzle({ client: pool });
  beforeAll(async () => {
    await ask(uri, 'CREATE TABLE orders (id VARCHAR(50) PRIMARY KEY)');
    const store = mysqlStore({ uri });
    await store.migrate();
    await store.close();
  });
  afterAll(() => Promise.all([pool.promise().end(), mariadb.end(), knex.destroy()]));

  const shop = {
    open: () => mysqlStore({ uri, pollInterval: '20ms' }),
    orders: async () => (await ask(uri, 'SELECT id FROM orders')).map(({ id }) => id as string),
  };
  const onConnection =
    <Given extends object>(give: (connection: PromiseConnection) => Given) =>
    async (work: (tx: object) => Promise<void>) => {
      const connection = await pool.promise().getConnection();
      try {
        await connection.beginTransaction();
        await work(give(connection));
        await connection.commit();
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        connection.release();
      }
    };

  testWithin('a connection of mysql2/promise', {
    ...shop,
    transaction: onConnection((connection) => connection),
    order: (tx, id) => (tx as PromiseConnection).execute(INSERT, [id]),
  });
  testWithin('a connection of mysql2', {
    ...shop,
    transaction: onConnection((connection) => connection.connection),
    order: (tx, id) => (tx as PoolConnection).promise().execute(INSERT, [id]),
  });
  testWithin('a connection of mariadb', {
    ...shop,
    async transaction(work) {
      const connection = await mariadb.getConnection();
      try {
        await connection.beginTransaction();
        await work(connection);
        await connection.commit();
      } catch (error) {
        await connection.rollback();
        throw error;
      } finally {
        await connection.release();
      }
    },
    order: (tx, id) => (tx as MariadbConnection).execute(INSERT, [id]),
  });
  testWithin('Kysely', {
    ...shop,
    transaction: (work) => kysely.transaction().execute(work),
    order: (tx, id) => (tx as typeof kysely).insertInto('orders').values({ id }).execute(),
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
});
