import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteStore } from 'postern/stores/sqlite';
import { testStore } from 'postern/testing';
import { afterAll } from 'vitest';
import { testRow } from './table.js';

const directory = mkdtempSync(join(tmpdir(), 'postern-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const aFile = () => join(directory, `${randomUUID()}.db`);

testRow({
  database: 'SQLite',
  driver: '`libsql`, `sqliteStore`',
  polls: '100 ms',
  place: aFile,
  open: (filename, migrate) => sqliteStore({ filename, driver: 'libsql', migrate }),
});
testStore('sqliteStore in memory (libsql)', () => sqliteStore({ filename: ':memory:', driver: 'libsql' }));
testStore('sqliteStore in a file (the default driver)', () => sqliteStore({ filename: aFile() }));
