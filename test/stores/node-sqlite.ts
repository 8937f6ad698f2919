import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { sqliteStore } from 'postern/stores/sqlite';
import { testStore } from 'postern/testing';

/** The conformance suite over `node:sqlite`, under `node:test`: for a Node that has both. */
const directory = mkdtempSync(join(tmpdir(), 'postern-node-sqlite-'));
after(() => rmSync(directory, { recursive: true, force: true }));

testStore('sqliteStore in a file (node:sqlite)', () =>
  sqliteStore({ filename: join(directory, `${randomUUID()}.db`), driver: 'node:sqlite' }),
);
testStore('sqliteStore in memory (node:sqlite)', () => sqliteStore({ filename: ':memory:', driver: 'node:sqlite' }));
