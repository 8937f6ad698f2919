import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import knexFactory from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import { createPool } from 'mysql2';
import { fromDrizzle, fromKnex, fromKysely, sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';
import { afterAll, describe } from 'vitest';
import { useMariadb } from '../support/mariadb-server.js';
import { aDatabase, aPrefix } from './mariadb-server.js';

describe('a real MariaDB', async () => {
  const uri = await aDatabase(await useMariadb());
  const pool = createPool({ uri });
  const knex = knexFactory({ client: 'mysql2', connection: uri });
  afterAll(() => Promise.all([pool.promise().end(), knex.destroy()]));
  const kysely = fromKysely(new Kysely({ dialect: new MysqlDialect({ pool }) }), 'mysql');
  testStore('through Kysely', () => sqlStore({ driver: kysely, prefix: aPrefix() }));
  testStore('through Drizzle', () =>
    sqlStore({ driver: fromDrizzle(drizzle({ client: pool }), tag, 'mysql'), prefix: aPrefix() }),
  );
  testStore('through Knex', () => sqlStore({ driver: fromKnex(knex, 'mysql'), prefix: aPrefix() }));
});
