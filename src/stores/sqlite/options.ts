import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { type MigrateMode, placeOptions } from '../sql/place.js';
import { constructorOf, DRIVER_NAMES, type SqliteDriver } from './driver.js';
import { MEMORY } from './file.js';

/** Options of `sqliteStore`. Unknown options are refused. */
export interface SqliteStoreOptions {
  /** Path of the database file, or its `file:` URL object. A missing file is made; a missing directory is not. `':memory:'`: no file. */
  readonly filename: string | URL;
  /**
   * The driver: a name, or the `Database` class itself. Default: the runtime's own `node:sqlite` (Node 22.13 and later), else the
   * package `libsql`.
   */
  readonly driver?: SqliteDriver | undefined;
  /** The beginning of the names of all tables. `^[a-z][a-z0-9_]{0,29}$`, or empty. Default `''`. */
  readonly prefix?: string | undefined;
  /**
   * `'verify'`: makes no file and no tables. It compares what is there, and refuses to start on a difference (`store_invalid`, with
   * the differences). `postern migrate` makes the tables. Default `'auto'`: the first call makes them.
   */
  readonly migrate?: 'auto' | 'verify' | undefined;
  /**
   * The time between two looks for changes of other processes. Their revocations are seen here after this time at the latest.
   * Default `'100ms'`.
   */
  readonly pollInterval?: Duration | undefined;
}

export interface SqliteSettings {
  /** Absolute, or `':memory:'`. */
  readonly filename: string;
  readonly driver: SqliteDriver | undefined;
  readonly prefix: string;
  readonly migrate: MigrateMode;
  /** Milliseconds. */
  readonly pollInterval: number;
}

const DEFAULT_POLL = 100;

const schema = z.strictObject({
  filename: z.union([z.string(), z.instanceof(URL)], "give the path of a file, or ':memory:'"),
  driver: z
    .custom<SqliteDriver>(
      (value) => (typeof value === 'string' ? DRIVER_NAMES.includes(value) : constructorOf(value) !== null),
      `name one of ${DRIVER_NAMES.join(', ')}, or give a Database class`,
    )
    .optional(),
  prefix: placeOptions.prefix.default(''),
  migrate: placeOptions.migrate,
  pollInterval: duration('100ms', { least: '5ms', most: '1h' }).default(DEFAULT_POLL),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readSqliteOptions(options: unknown): SqliteSettings {
  const { filename, ...rest } = check(schema, options, 'sqliteStore', 'option_invalid');
  return { ...rest, filename: pathOf(filename), driver: rest.driver };
}

/** An absolute path: a later change of the working directory has no effect, and no driver takes the name for a URI. */
function pathOf(filename: string | URL): string {
  if (filename === MEMORY) return MEMORY;
  if (filename instanceof URL) {
    if (filename.protocol !== 'file:') throw invalid(`is a ${filename.protocol} URL: give a file: URL, or a path`);
    return fileURLToPath(filename);
  }
  // SQLite takes an empty name for a temporary database: everything would be silently lost on closing.
  if (filename === '') throw invalid("is empty: give the path of a file, or ':memory:'");
  if (filename.includes('\0')) throw invalid('has a NUL character in it: give the path of a file');
  if (/^[a-z][a-z0-9+.-]+:/i.test(filename)) {
    throw invalid('looks like a URL: give a path, or a URL object (new URL(…)) of the form file:///…');
  }
  return resolve(filename);
}

function invalid(problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path: 'filename', input: 'sqliteStore' });
}
