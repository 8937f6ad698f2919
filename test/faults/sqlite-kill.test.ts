import { sqliteStore } from 'postern/stores/sqlite';
import { expect, it } from 'vitest';
import { ask, testDirectory } from '../stores/sqlite-files.js';
import { killWriters } from './kill.js';

const { aFile } = testDirectory();

it('changes that a killed process had confirmed are all in SQLite, and no change is half there', async () => {
  const filename = aFile();
  await killWriters('sqlite', { filename }, () => sqliteStore({ filename }), {
    table: (name) => name,
    count: async (from) => Number(ask(filename, `SELECT count(*) FROM ${from}`)),
  });
  expect(ask(filename, 'PRAGMA integrity_check')).toBe('ok');
});
