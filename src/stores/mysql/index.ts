import { Mysql } from '../sql/dialects/mysql.js';
import { READER_TIMEOUT, type Reader } from '../sql/mirror/mirror.js';
import { openStore, type SqlStore } from '../sql/open.js';
import { PollingFeed } from '../sql/polling-feed.js';
import { type MysqlPool, makePool } from './client.js';
import { Database } from './database.js';
import { type MysqlSettings, type MysqlStoreOptions, readMysqlOptions, type Source } from './options.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { ReaderOptions } from '../sql/mirror/options.js';
export type { MysqlCallbackPool, MysqlConnection, MysqlPool, MysqlQuery } from './client.js';
export type { MysqlStoreOptions } from './options.js';

/** A store that makes and upgrades its own tables. */
export type MysqlStore = SqlStore;

/**
 * Tokens and endpoints in MariaDB 10.6 or later, or MySQL 8.0.29 or later, for any number of processes. Needs the package `mysql2`
 * or `mariadb`, or a pool of one of them.
 *
 * - The tables are in the database of the connection, with a prefix. The first call makes them, or `await store.migrate()`.
 * - Each change is one transaction, with its row in the audit log. The log refuses UPDATE and DELETE (by triggers, so the role that
 *   makes the tables needs the right to make them); only the option `audit.keep` removes old rows.
 * - Changes of other processes are looked for every `pollInterval`. If that fails three times in a row, listeners are told so, and
 *   again when it works. `revoke(id, { wait: true })` waits for `cache.ttl`.
 * - If the database does not answer within `timeout`, the call rejects. It may have been done or not.
 * - The database needs a strict `sql_mode` (the default) and connections in utf8mb4; `migrate` refuses others. A confirmed change
 *   survives a loss of power if the server has `innodb_flush_log_at_trx_commit = 1` (the default).
 * - Your own `pool` stays open: end it after the store.
 *
 * @example
 * const store = mysqlStore({ uri: process.env.DATABASE_URL });
 * const postern = createPostern({ store });
 * @throws PosternError `option_invalid`, `option_unknown`, `driver_missing`
 */
export function mysqlStore(options: MysqlStoreOptions): MysqlStore {
  const settings = readMysqlOptions(options);
  const { source, prefix, migrate: migrates, timeout, pollInterval } = settings;
  const dialect = new Mysql(prefix);
  const { pool, release } = poolOf(source, timeout);
  const driver = new Database(pool, dialect, timeout);
  const feed = new PollingFeed(dialect, pollInterval, (look) => driver.query(look));
  return openStore({ dialect, driver, feed, migrates, timeout, reader: readerOf(settings, dialect), release });
}

function readerOf({ reader, timeout }: MysqlSettings, dialect: Mysql): Reader | null {
  if (reader === null) return null;
  const patience = Math.min(timeout, READER_TIMEOUT);
  const { pool, release: close } = poolOf(reader.source, patience);
  const db = new Database(pool, dialect, patience);
  return { maxLag: reader.maxLag, driver: { query: (statement) => db.query(statement), close } };
}

function poolOf(source: Source, timeout: number): { readonly pool: MysqlPool; readonly release: () => Promise<void> } {
  if (source.pool !== null) return { pool: source.pool, release: async () => {} };
  const own = makePool(source.uri, timeout);
  return { pool: own, release: () => own.end() };
}
