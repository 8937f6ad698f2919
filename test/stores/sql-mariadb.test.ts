import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/mysql2';
import knexFactory from 'knex';
import { Kysely, MysqlDialect } from 'kysely';
import { createPool } from 'mysql2';
import { fromDrizzle, fromKnex, fromKysely, sqlStore } from 'postern/stores/sql';
import { afterAll, describe } from 'vitest';
import { useMariadb } from '../support/mariadb-server.js';
import { aDatabase, aPrefix, ask } from './mariadb-server.js';
import { emptyingPrefix } from './one-place.js';
import { testRow } from './table.js';

describe('a real MariaDB', async () => {
  const uri = await aDatabase(await useMariadb());
  const pool = createPool({ uri });
  const knex = knexFactory({ client: 'mysql2', connection: uri });
  afterAll(() => Promise.all([pool.promise().end(), knex.destroy()]));
  const kysely = fromKysely(new Kysely({ dialect: new MysqlDialect({ pool }) }), 'mysql');
  const drivers = {
    Kysely: kysely,
    Drizzle: fromDrizzle(drizzle({ client: pool }), tag, 'mysql'),
    Knex: fromKnex(knex, 'mysql'),
  };
  for (const [driver, each] of Object.entries(drivers)) {
    testRow({
      database: 'MariaDB',
      driver,
      polls: '500 ms',
      place: aPrefix,
      empty: (prefix) => ask(uri, emptyingPrefix(prefix)),
      open: (prefix, migrate) => sqlStore({ driver: each, prefix, migrate }),
    });
  }
});
