import { createClient } from '@libsql/client';
import { fromLibsql, fromSqlite, sqlStore } from 'postern/stores/sql';
import { testStore } from 'postern/testing';
import { Libsql, testDirectory } from './sqlite-files.js';

const { aFile } = testDirectory();

testStore('@libsql/client on a file', () => {
  const client = createClient({ url: `file:${aFile()}` });
  return sqlStore({ driver: { ...fromLibsql(client), close: async () => client.close() } });
});

testStore('a database that the application has opened with libsql', () => {
  const database = new Libsql(aFile());
  database.exec('PRAGMA foreign_keys = ON');
  return sqlStore({ driver: { ...fromSqlite(database), close: async () => void database.close() }, prefix: 'auth_' });
});
