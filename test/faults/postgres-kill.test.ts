import { postgresStore } from 'postern/stores/postgres';
import { it } from 'vitest';
import { aSchema, ask } from '../stores/postgres-server.js';
import { usePostgres } from '../support/services.js';
import { killWriters } from './kill.js';

const server = await usePostgres();

it('changes that a killed process had confirmed are all in PostgreSQL, and no change is half there', async () => {
  const schema = aSchema();
  const options = { connectionString: server.url(), schema };
  await killWriters('postgres', options, () => postgresStore(options), {
    table: (name) => `${schema}.${name}`,
    count: async (from) => Number((await ask(server.url(), `SELECT count(*) AS n FROM ${from}`))[0]?.n),
  });
});
