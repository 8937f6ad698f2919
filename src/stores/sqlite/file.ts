import { accessSync, closeSync, constants, existsSync, openSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PosternError } from '../../domain/errors.js';
import type { Migration } from '../shared/migration.js';
import type { Dialect } from '../sql/dialect.js';
import type { MigrateMode } from '../sql/place.js';
import { Connection } from './connection.js';
import { isNoDatabase, type SqliteConstructor } from './driver.js';
import {
  assertOurs,
  assertSame,
  dryRun,
  type Marks,
  type Place,
  planFrom,
  readMarks,
  upgrade,
  verify,
} from './migrate.js';

export const MEMORY = ':memory:';

/**
 * How long SQLite itself waits for another process's lock, in milliseconds. This blocks the event loop. After it, the store waits
 * and tries again without blocking.
 */
const BUSY_TIMEOUT = 50;

export interface OpenDatabase {
  readonly db: Connection;
  readonly migration: Migration;
}

/**
 * Opens a database, and makes or upgrades its tables, or only compares them. A file that is not ours is not changed, and no file is put beside it.
 *
 * With `synchronous = FULL`, acknowledged changes also survive a loss of power. NORMAL would survive a killed process and save
 * one `fsync` a change. But then a power failure could undo a confirmed revocation. Changes are rare compared with reads.
 *
 * @throws PosternError `store_invalid`, `store_newer`, and the driver's own errors
 */
export function openDatabase(Database: SqliteConstructor, place: Place, migrates: MigrateMode): OpenDatabase {
  const { filename } = place;
  if (filename !== MEMORY) {
    inspect(Database, place);
    if (migrates === 'verify' && !statOf(filename)?.size) assertSame([`there is no file ${filename}`], place);
    makePrivate(filename);
  }
  const db = new Connection(new Database(filename));
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}; PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL`);
    // Before the switch to WAL, so that a new file's mark is in the file itself and not in the -wal: `inspect` looks there.
    const migration = migrates === 'verify' ? verify(db, place) : upgrade(db, place);
    useWriteAheadLog(db, filename);
    return { db, migration };
  } catch (error) {
    db.close();
    throw isNoDatabase(error) ? noDatabase(filename, error) : error;
  }
}

/**
 * The changes to tables that opening a database would make, or how its tables differ. Makes no file, and changes none.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export function planDatabase(Database: SqliteConstructor, place: Place): Migration {
  const { filename, dialect } = place;
  if (filename === MEMORY) return planFrom(null, dialect);
  inspect(Database, place);
  const file = statOf(filename);
  if (file === null || file.size === 0) return planFrom(null, dialect);
  const db = new Connection(new Database(filename));
  try {
    db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`);
    return dryRun(db, place);
  } finally {
    db.close();
  }
}

/**
 * Makes a new file readable by its owner only. SQLite gives the -wal and the -shm the mode of the file. An existing file keeps
 * its mode. It is not opened here, because closing it would drop the locks of another store in this process.
 */
function makePrivate(filename: string): void {
  if (statOf(filename) === null) closeSync(openSync(filename, 'a', 0o600));
}

function useWriteAheadLog(db: Connection, filename: string): void {
  const mode = db.get('PRAGMA journal_mode = WAL')?.journal_mode;
  if (filename === MEMORY || mode === 'wal') return;
  throw invalid(`${filename} is on a file system without shared memory (a network drive?): put it on a local disk`);
}

function inspect(Database: SqliteConstructor, { filename, dialect }: Place): void {
  const directory = dirname(filename);
  if (!statOf(directory)?.isDirectory()) {
    throw invalid(`there is no directory ${directory}: make it, or give another filename`);
  }
  const file = statOf(filename);
  if (file !== null && !file.isFile()) throw invalid(`${filename} is not a file: give the name of a file`);
  for (const path of file === null ? [directory] : [directory, filename]) {
    if (!isWritable(path)) {
      throw invalid(`${path} can not be written by this process: SQLite needs the file and its directory writable`);
    }
  }
  if (file === null || file.size === 0) return;
  const marks = peek(Database, filename, dialect);
  if (marks !== null) assertOurs(marks, filename);
}

/**
 * The file's marks, read by SQLite as an immutable file: no lock, no -wal, no -shm. `node:fs` is not used: closing a second
 * descriptor of a file drops the locks that this process holds on it (POSIX), and so breaks an open database. `null` if they
 * can't be read without opening the database.
 */
function peek(Database: SqliteConstructor, filename: string, dialect: Dialect): Marks | null {
  const marks = readFrom(Database, `${pathToFileURL(filename).href}?immutable=1&mode=ro`, filename, dialect);
  if (marks !== null) return marks;
  // A driver without URIs takes the URI for a path. Unlike libsql, such a driver leaves nothing beside the file on closing.
  return readFrom(Database, filename, filename, dialect);
}

function readFrom(Database: SqliteConstructor, name: string, filename: string, dialect: Dialect): Marks | null {
  let database: InstanceType<SqliteConstructor>;
  try {
    database = new Database(name);
  } catch {
    return null;
  }
  try {
    return readMarks((sql) => database.prepare(sql).get(), dialect);
  } catch (error) {
    // With a journal beside it, the creation of the file may have been interrupted. SQLite repairs it when it opens it.
    if (isNoDatabase(error) && !existsSync(`${filename}-journal`)) throw noDatabase(filename, error);
    return null;
  } finally {
    database.close();
  }
}

function statOf(path: string): Stats | null {
  return statSync(path, { throwIfNoEntry: false }) ?? null;
}

/** Whether this process may read and write there. */
export function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function noDatabase(filename: string, cause: unknown): PosternError {
  return invalid(
    `${filename} is not a valid SQLite database. It was not changed. Give another file, or restore a backup`,
    cause,
  );
}

function invalid(message: string, cause?: unknown): PosternError {
  return new PosternError('store_invalid', message, { path: 'filename', cause });
}
