import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqliteConstructor } from 'postern/stores/sqlite';
import { afterAll } from 'vitest';

/** The bare driver, to look into a file past the store. */
export const Libsql = createRequire(import.meta.url)('libsql') as SqliteConstructor;

/** A directory of the calling test file's own, removed at its end. */
export function testDirectory() {
  const directory = mkdtempSync(join(tmpdir(), 'postern-sqlite-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return {
    directory,
    aFile: (name = `${randomUUID()}.db`) => join(directory, name),
    /** The files whose names begin like this one: itself, its -wal and -shm. */
    beside: (file: string) => readdirSync(directory).filter((name) => join(directory, name).startsWith(file)),
  };
}

/** One value of one row. */
export function ask(file: string, sql: string): unknown {
  const database = new Libsql(file);
  const row = database.prepare(sql).get() as Record<string, unknown>;
  const value = Object.entries(row).find(([key]) => key !== '_metadata')?.[1];
  database.close();
  return value;
}

export function script(file: string, sql: string): void {
  const database = new Libsql(file);
  database.exec(sql);
  database.close();
}

export const bytesOf = (file: string) => readFileSync(file).toString('hex');
