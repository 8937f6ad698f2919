import { createClient } from '@libsql/client';
import { sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import { fromDrizzle, fromLibsql, fromSqlite, type SqlDriver, sqlStore } from 'postern/stores/sql';
import { afterAll, describe } from 'vitest';
import { hranaServer } from './hrana-server.js';
import { Libsql, testDirectory } from './sqlite-files.js';
import { testRow } from './table.js';

const { aFile } = testDirectory();

const row = (driver: string, over: (filename: string) => SqlDriver) =>
  testRow({
    database: 'SQLite',
    driver,
    polls: '500 ms',
    place: aFile,
    open: (filename, migrate) => sqlStore({ driver: over(filename), prefix: 'auth_', migrate }),
  });

row('`@libsql/client`', (filename) => {
  const client = createClient({ url: `file:${filename}` });
  return { ...fromLibsql(client), close: async () => client.close() };
});

describe('a server of the protocol of Turso', async () => {
  const server = await hranaServer();
  afterAll(() => server.close());
  row('`@libsql/client` over HTTP', (filename) => {
    const client = createClient({ url: server.url(filename) });
    return { ...fromLibsql(client), close: async () => client.close() };
  });
});

row('Drizzle over `@libsql/client`', (filename) => {
  const client = createClient({ url: `file:${filename}` });
  return { ...fromDrizzle(drizzle({ client }), tag, 'sqlite'), close: async () => client.close() };
});

row('`libsql`', (filename) => {
  const database = new Libsql(filename);
  database.exec('PRAGMA foreign_keys = ON');
  return { ...fromSqlite(database), close: async () => void database.close() };
});
