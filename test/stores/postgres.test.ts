import { randomUUID } from 'node:crypto';
import { postgresStore } from 'postern/stores/postgres';
import { testStore } from 'postern/testing';
import { describe } from 'vitest';
import { usePostgres } from '../support/services.js';

const server = await usePostgres();

describe.skipIf(server === null)('on a real PostgreSQL', () => {
  testStore('postgresStore', () =>
    postgresStore({
      connectionString: server?.url() as string,
      schema: `s_${randomUUID().replaceAll('-', '')}`,
    }),
  );
});
