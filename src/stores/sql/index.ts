import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { dialectOf } from './dialects/dialect-of.js';
import type { SqlDriver } from './driver.js';
import { READER_TIMEOUT } from './mirror/mirror.js';
import { maxLag, NEEDS_FEED, type ReaderOptions } from './mirror/options.js';
import { openStore, type SqlStore } from './open.js';
import { placeOptions } from './place.js';
import { PollingFeed } from './polling-feed.js';
import { steady } from './steady.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { DialectName, SqlDriver, SqlRow, SqlStatement, SqlValue } from './driver.js';
export * from './drivers/builders.js';
export * from './drivers/neon.js';
export * from './drivers/postgres.js';
export * from './drivers/prisma.js';
export * from './drivers/sqlite.js';
export type { ReaderOptions } from './mirror/options.js';
export type { SqlStore } from './open.js';

/** Options of `sqlStore`. Unknown options are refused. */
export interface SqlStoreOptions {
  /** The way to the database: one of the functions `from…`, or your own. */
  readonly driver: SqlDriver;
  /** PostgreSQL: the schema of the tables. `^[a-z_][a-z0-9_]{0,49}$`. Default `'postern'`. */
  readonly schema?: string | undefined;
  /**
   * The beginning of all names. `^[a-z][a-z0-9_]{0,29}$`, or empty. Default `'postern_'`, or empty on PostgreSQL, where the schema
   * keeps the tables apart.
   */
  readonly prefix?: string | undefined;
  /**
   * `'verify'`: makes no tables. It compares what is there, and refuses to start on a difference (`store_invalid`, with the
   * differences). `postern schema --sql` prints the statements that make the tables. Default `'auto'`: the first call makes them.
   */
  readonly migrate?: 'auto' | 'verify' | undefined;
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
  schema: placeOptions.schema.optional(),
  prefix: placeOptions.prefix.optional(),
  migrate: placeOptions.migrate,
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
  const {
    driver: given,
    migrate: migrates,
    pollInterval,
    timeout,
    reader,
    ...place
  } = check(schema, options, INPUT, 'option_invalid');
  const dialect = dialectOf(given.dialect, place, INPUT);
  const driver = steady(given, dialect, timeout);
  const polls = pollInterval !== false && dialect.latest !== null;
  const feed = polls ? new PollingFeed(dialect, pollInterval, (look) => driver.query(look)) : null;
  if (reader === undefined) return openStore({ dialect, driver, feed, migrates, timeout });
  if (feed === null) throw new PosternError('option_invalid', NEEDS_FEED, { path: 'reader', input: INPUT });
  if (reader.driver.dialect !== dialect.name) {
    throw new PosternError('option_invalid', `speaks another dialect than the store: give one of ${dialect.name}`, {
      path: 'reader.driver',
      input: INPUT,
    });
  }
  const near = steady(reader.driver, dialect, Math.min(timeout, READER_TIMEOUT));
  return openStore({ dialect, driver, feed, migrates, timeout, reader: { driver: near, maxLag: reader.maxLag } });
}
