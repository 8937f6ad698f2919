import { createRequire } from 'node:module';
import { fromNeon, type NeonLike, sqlStore } from 'postern/stores/sql';
import { afterAll, describe } from 'vitest';
import { usePostgres } from '../support/services.js';
import { neonServer } from './neon-server.js';
import { emptyingSchema } from './one-place.js';
import { aSchema, ask } from './postgres-server.js';
import { testRow } from './table.js';

const { neon, neonConfig } = createRequire(import.meta.url)('@neondatabase/serverless') as {
  readonly neon: (url: string) => NeonLike;
  readonly neonConfig: { fetchEndpoint: string };
};

describe('a server of its protocol over a real PostgreSQL', async () => {
  const { url } = await usePostgres();
  const server = await neonServer(url());
  afterAll(() => server.close());
  neonConfig.fetchEndpoint = `http://127.0.0.1:${server.port}/sql`;
  const driver = fromNeon(neon('postgres://user:password@db.example/app'));
  testRow({
    database: 'PostgreSQL',
    driver: "Neon's HTTP driver",
    place: aSchema,
    empty: (schema) => ask(url(), emptyingSchema(schema)),
    open: (schema, migrate) => sqlStore({ driver, schema, migrate }),
  });
});
