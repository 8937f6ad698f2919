import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { dialectOf } from './dialects/dialect-of.js';
import type { SqlDriver } from './driver.js';
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
}

const schema = z.strictObject({
  driver: z.custom<SqlDriver>(
    (value) => ['query', 'batch'].every((name) => typeof (value as Record<string, unknown>)?.[name] === 'function'),
    'give a driver: one of the functions from… of postern/stores/sql, or your own',
  ),
  schema: placeOptions.schema.optional(),
  prefix: placeOptions.prefix.optional(),
  migrate: placeOptions.migrate,
  timeout: duration('5s', { least: '10ms', most: '10m' }).default(5_000),
  pollInterval: z.union([duration('500ms', { least: '5ms', most: '1h' }), z.literal(false)]).default(500),
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
    ...place
  } = check(schema, options, 'sqlStore', 'option_invalid');
  const dialect = dialectOf(given.dialect, place, 'sqlStore');
  const driver = steady(given, dialect, timeout);
  const polls = pollInterval !== false && dialect.latest !== null;
  const feed = polls ? new PollingFeed(dialect, pollInterval, (look) => driver.query(look)) : null;
  return openStore({ dialect, driver, feed, migrates, timeout });
}
