import { PosternError } from '../../domain/errors.js';
import { findDriver, noDriver } from '../shared/driver.js';
import type { SqliteStatement } from '../sql/drivers/sync-statements.js';

export type { SqlValue } from '../sql/driver.js';
export type { SqliteStatement } from '../sql/drivers/sync-statements.js';

/** The used part of an open database. All of it is synchronous. */
export interface SqliteDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  close(): unknown;
}

/** The `Database` class of `better-sqlite3` or `libsql`, the `DatabaseSync` class of `node:sqlite`, or one like them. */
export type SqliteConstructor = new (filename: string) => SqliteDatabase;

/** A driver by name, its class, or its module. */
export type SqliteDriver =
  | 'node:sqlite'
  | 'libsql'
  | 'better-sqlite3'
  | SqliteConstructor
  | { readonly DatabaseSync: SqliteConstructor }
  | { readonly default: SqliteConstructor };

export const DRIVER_NAMES: readonly string[] = ['node:sqlite', 'libsql', 'better-sqlite3'];

/** The class that opens databases: the given one, else the runtime's own, else that of the package `libsql`. */
export function loadDriver(driver: SqliteDriver | undefined): SqliteConstructor {
  if (driver === undefined) return builtIn() ?? fromPackage('libsql');
  if (driver === 'node:sqlite') return builtIn() ?? missingBuiltIn();
  return typeof driver === 'string' ? fromPackage(driver) : (constructorOf(driver) as SqliteConstructor);
}

/** The class in a given driver, or `null` if there is none. */
export function constructorOf(driver: unknown): SqliteConstructor | null {
  if (typeof driver === 'function') return driver as SqliteConstructor;
  const { DatabaseSync, default: byDefault } = (driver ?? {}) as Record<string, unknown>;
  for (const candidate of [DatabaseSync, byDefault]) {
    if (typeof candidate === 'function') return candidate as SqliteConstructor;
  }
  return null;
}

/** `node:sqlite`, if the runtime has it without a flag. Not imported, because the import would fail in other runtimes. */
function builtIn(): SqliteConstructor | null {
  return constructorOf(process.getBuiltinModule?.('node:sqlite'));
}

function missingBuiltIn(): never {
  throw new PosternError(
    'driver_missing',
    'this runtime has no node:sqlite: use Node 22.13 or later, or leave the driver option out and run: npm install libsql',
  );
}

function fromPackage(name: string): SqliteConstructor {
  const found = findDriver(name);
  if (found === null)
    throw noDriver([name], `import it and give sqliteStore({ driver }); Node 22.13 and later need none`);
  const loaded = constructorOf(found);
  if (loaded !== null) return loaded;
  throw new PosternError(
    'driver_missing',
    `${name} is found, and exports no Database class. Run again: npm install ${name}`,
  );
}

const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** SQLite's primary result code of any driver's error; 0 if it has none. */
function resultCode(error: unknown): number {
  const { errcode, rawCode, code } = (error ?? {}) as Record<string, unknown>;
  const extended = errcode ?? rawCode;
  if (typeof extended === 'number') return extended & 0xff;
  const name = typeof code === 'string' ? code : '';
  if (name.startsWith('SQLITE_BUSY')) return BUSY;
  if (name.startsWith('SQLITE_LOCKED')) return LOCKED;
  if (name.startsWith('SQLITE_CORRUPT')) return CORRUPT;
  return name === 'SQLITE_NOTADB' ? NOT_A_DATABASE : 0;
}

/** Another connection holds the lock. Nothing was done, so the call may be tried again. */
export function isBusy(error: unknown): boolean {
  return [BUSY, LOCKED].includes(resultCode(error));
}

/** The file is not a SQLite database, or is damaged. */
export function isNoDatabase(error: unknown): boolean {
  return [CORRUPT, NOT_A_DATABASE].includes(resultCode(error));
}
