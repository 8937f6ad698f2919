import { randomUUID } from 'node:crypto';
import { Feed } from '../shared/feed/feed.js';
import { Postgres } from '../sql/dialects/postgres.js';
import { READER_TIMEOUT, type Reader } from '../sql/mirror/mirror.js';
import { openStore, type SqlStore } from '../sql/open.js';
import { PostgresChannel } from './channel.js';
import { Connections, poolOf } from './connections.js';
import { Database } from './database.js';
import { type PostgresSettings, type PostgresStoreOptions, readPostgresOptions } from './options.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { ReaderOptions } from '../sql/mirror/options.js';
export type {
  PgClient,
  PgConnection,
  PgNotification,
  PgPool,
  PgPoolClient,
  PgQuery,
  PgResult,
} from './client.js';
export type { PostgresStoreOptions } from './options.js';

/** A store that makes and upgrades its own tables. */
export type PostgresStore = SqlStore;

/**
 * Tokens and endpoints in PostgreSQL 13 or later, for any number of processes. Needs the package `pg`, or a pool like that of `pg`.
 *
 * - The tables are in a schema of their own (`schema`). The first call makes them, or `await store.migrate()`. If many processes
 *   start at once, one makes them.
 * - Each change is one statement, with its row in the audit log and its notification. It happens completely or not at all, and
 *   nobody is notified of an undone change. The audit log refuses UPDATE, DELETE and TRUNCATE; only its function `trim_changes`
 *   removes old rows (the option `audit.keep`). This protects against mistakes only. A role that must not shorten the log must
 *   not have the right to DELETE from `changes`.
 * - Changes of other processes are reported at once, by LISTEN/NOTIFY on a separate connection. If that is lost, listeners are
 *   told so, and again when it is back; then the caches are cleared. Until then `createPostern` serves cached rows for a short
 *   time only.
 * - If PostgreSQL does not answer within `timeout`, the call rejects. It may have been done or not. The next call works as soon
 *   as PostgreSQL does. A statement that waits inside the server is not stopped: set `statement_timeout` for the role to limit it.
 * - A role that is not the owner of the tables needs SELECT, INSERT, UPDATE and DELETE on them.
 * - Your own `pool` stays open: end it after the store. Give it `connectionTimeoutMillis` and at least two connections.
 *
 * @example
 * const store = postgresStore({ connectionString: process.env.DATABASE_URL });
 * const postern = createPostern({ store });
 * @example
 * // With pgbouncer, LISTEN needs a direct connection:
 * const store = postgresStore({ pool, listen: 'postgres://db.internal:5432/app' });
 * @throws PosternError `option_invalid`, `option_unknown`, `driver_missing`
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const settings = readPostgresOptions(options);
  const { schema, prefix, migrate: migrates, heartbeat, listen, timeout } = settings;
  const dialect = new Postgres(schema, prefix);
  const connections = new Connections(settings);
  const db = new Database(connections.pool, dialect, settings);
  const instance = randomUUID();
  const channel = new PostgresChannel(db, connections, dialect, instance, heartbeat);
  const feed = listen === false ? null : new Feed(channel, instance, heartbeat);
  const reader = readerOf(settings, dialect);
  return openStore({ dialect, driver: db, feed, migrates, timeout, reader, release: () => connections.close() });
}

function readerOf({ reader, timeout, prepare }: PostgresSettings, dialect: Postgres): Reader | null {
  if (reader === null) return null;
  const patience = Math.min(timeout, READER_TIMEOUT);
  const { pool, own } = poolOf(reader.source, patience);
  const db = new Database(pool, dialect, { timeout: patience, prepare });
  const close = async () => {
    await db.close();
    await own?.end();
  };
  return { maxLag: reader.maxLag, driver: { query: (statement) => db.query(statement), close } };
}
