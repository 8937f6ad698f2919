import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sqliteStore } from 'postern/stores/sqlite';
import { testStore } from 'postern/testing';
import { afterAll } from 'vitest';

const directory = mkdtempSync(join(tmpdir(), 'postern-sqlite-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const aFile = () => join(directory, `${randomUUID()}.db`);

testStore('sqliteStore in a file (libsql)', () => sqliteStore({ filename: aFile(), driver: 'libsql' }));
testStore('sqliteStore in memory (libsql)', () => sqliteStore({ filename: ':memory:', driver: 'libsql' }));
testStore('sqliteStore in a file (the default driver)', () => sqliteStore({ filename: aFile() }));
