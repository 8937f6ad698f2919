import pg from 'pg';
import { postgresStore } from 'postern/stores/postgres';
import { testStore } from 'postern/testing';
import { afterAll, describe } from 'vitest';
import { usePostgres } from '../support/services.js';
import { emptyingSchema, onePlace } from './one-place.js';
import { aDatabase, aSchema, ask } from './postgres-server.js';
import { testRow } from './table.js';

const server = await usePostgres();

describe('on a real PostgreSQL', async () => {
  testRow({
    database: 'PostgreSQL',
    driver: '`pg`, `postgresStore`',
    place: aSchema,
    empty: (schema) => ask(server.url(), emptyingSchema(schema)),
    open: (schema, migrate) => postgresStore({ connectionString: server.url(), schema, migrate }),
  });

  // What an application may bring along: its pool, a locale with another order, stricter transactions, int8 as numbers.
  const icu = await aDatabase(server, "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US'");
  const pool = new pg.Pool({
    connectionString: icu,
    options: '-c default_transaction_isolation=serializable',
    types: { getTypeParser: ((oid: number) => (oid === 20 ? Number : pg.types.getTypeParser(oid))) as never },
  });
  afterAll(() => pool.end());
  const inIcu = onePlace(aSchema, (schema) => ask(icu, emptyingSchema(schema)));
  testStore("postgresStore on an application's pool", async () =>
    postgresStore({ pool, schema: await inIcu(), prepare: false }),
  );
  const place = onePlace(aSchema, (schema) => ask(server.url(), emptyingSchema(schema)));
  testStore('postgresStore without a feed', async () =>
    postgresStore({ connectionString: server.url(), schema: await place(), listen: false }),
  );
});
