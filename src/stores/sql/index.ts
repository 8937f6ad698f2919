import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import type { Dialect } from './dialect.js';
import { Mysql } from './dialects/mysql.js';
import { Postgres } from './dialects/postgres.js';
import { Sqlite } from './dialects/sqlite.js';
import type { SqlDriver } from './driver.js';
import { READER_TIMEOUT } from './mirror/mirror.js';
import { maxLag, NEEDS_FEED, type ReaderOptions } from './mirror/options.js';
import { openStore, type SqlStore } from './open.js';
import { PollingFeed } from './polling-feed.js';
import { steady } from './steady.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { DialectName, SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js';
export * from './drivers/builders.js';
export * from './drivers/postgres.js';
export * from './drivers/sqlite.js';
export type { ReaderOptions } from './mirror/options.js';
export type { SqlStore } from './open.js';

/** Options of `sqlStore`. Unknown options are refused. */
export interface SqlStoreOptions {
  /** The way to the database: one of the functions `from…`, or your own. */
  readonly driver: SqlDriver;
  /** PostgreSQL: the schema of the tables. `^[a-z_][a-z0-9_]{0,49}$`. Default `'postern'`. */
  readonly schema?: string | undefined;
  /** SQLite, MySQL: the beginning of all names. `^[a-z][a-z0-9_]{0,29}$`, or empty. Default `'postern_'`. */
  readonly prefix?: string | undefined;
  /** How long one call may take before it rejects. Default `'5s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * SQLite, MySQL: the time between two looks for changes of other processes, or `false` for none. Then, and with PostgreSQL, only
   * `cache.ttl` limits how long other processes see the old state. Give `false` in Workers, where no timer outlives a request.
   * Default `'500ms'`.
   */
  readonly pollInterval?: Duration | false | undefined;
  /**
   * SQLite, MySQL: a replica near this process, for the reads of verification; everything else goes to the primary. What this process
   * made or heard of is never undone by a replica that is behind: then the primary is read. The replica must commit in the order of
   * the primary.
   */
  readonly reader?: ({ readonly driver: SqlDriver } & ReaderOptions) | undefined;
}

const INPUT = 'sqlStore';

const driver = z.custom<SqlDriver>(
  (value) => ['query', 'batch'].every((name) => typeof (value as Record<string, unknown>)?.[name] === 'function'),
  'give a driver: one of the functions from… of postern/stores/sql, or your own',
);

const schema = z.strictObject({
  driver,
  schema: z
    .string()
    .regex(/^(?!pg_)[a-z_][a-z0-9_]{0,49}$/, 'give a name of lower case letters, digits and _, at most 50, without pg_')
    .default('postern'),
  prefix: z
    .string()
    .regex(/^([a-z][a-z0-9_]{0,29})?$/, 'give lower case letters, digits and _, at most 30, or an empty text')
    .default('postern_'),
  timeout: duration('5s', { least: '10ms', most: '10m' }).default(5_000),
  pollInterval: z.union([duration('500ms', { least: '5ms', most: '1h' }), z.literal(false)]).default(500),
  reader: z.strictObject({ driver, maxLag }).optional(),
});

/**
 * Tokens and endpoints in a database of your choice, through a driver of two methods: {@link SqlDriver}. For `pg`, a file of SQLite,
 * MariaDB and MySQL there are stores that do more: `postgresStore`, `sqliteStore`, `mysqlStore`.
 *
 * @example
 * const store = sqlStore({ driver: fromD1(env.DB), pollInterval: false });
 * @example
 * const store = sqlStore({ driver: fromKysely(db, 'postgres') });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function sqlStore(options: SqlStoreOptions): SqlStore {
  const { driver: given, pollInterval, timeout, reader, ...place } = check(schema, options, INPUT, 'option_invalid');
  const dialect = dialectOf(given, place);
  const driver = steady(given, dialect, timeout);
  const polls = pollInterval !== false && dialect.latest !== null;
  const feed = polls ? new PollingFeed(dialect, pollInterval, (look) => driver.query(look)) : null;
  if (reader === undefined) return openStore({ dialect, driver, feed, timeout });
  if (feed === null) throw new PosternError('option_invalid', NEEDS_FEED, { path: 'reader', input: INPUT });
  if (reader.driver.dialect !== dialect.name) {
    throw new PosternError('option_invalid', `speaks another dialect than the store: give one of ${dialect.name}`, {
      path: 'reader.driver',
      input: INPUT,
    });
  }
  const near = steady(reader.driver, dialect, Math.min(timeout, READER_TIMEOUT));
  return openStore({ dialect, driver, feed, timeout, reader: { driver: near, maxLag: reader.maxLag } });
}

function dialectOf({ dialect }: SqlDriver, place: { readonly schema: string; readonly prefix: string }): Dialect {
  if (dialect === 'postgres') return new Postgres(place.schema);
  if (dialect === 'mysql') return new Mysql(place.prefix);
  if (dialect === 'sqlite') return new Sqlite(place.prefix);
  const problem = "speaks no dialect that is known here: give 'postgres', 'mysql' or 'sqlite'";
  throw new PosternError('option_invalid', problem, { path: 'driver.dialect', input: INPUT });
}
