import { randomUUID } from 'node:crypto';
import { PosternError } from '../../domain/errors.js';
import type { Change } from '../../ports/changes.js';
import type { Stale, Store } from '../../ports/store.js';
import { within } from '../shared/deadline.js';
import { Feed } from '../shared/feed/feed.js';
import { messageOf, NOBODY, ofEndpoints, ofToken } from '../shared/feed/message.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import { listChanges, recordValues, trimChanges } from './audit.js';
import { PostgresChannel, payloadOf } from './channel.js';
import { Connections } from './connections.js';
import { Database } from './database.js';
import { EndpointStatements } from './endpoints.js';
import { EntryStatements } from './entries.js';
import { isTaken } from './errors.js';
import { type PostgresSettings, type PostgresStoreOptions, readPostgresOptions } from './options.js';
import { quoted } from './schema.js';
import { countTokens, listExpiredTokens, listTokens } from './token-lists.js';
import { TokenStatements, type Write } from './tokens.js';
import { UsageStatements } from './usage.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
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

/** A {@link Store} that makes and upgrades its own tables. */
export interface PostgresStore extends Store {
  /**
   * Makes or upgrades the tables now instead of with the first call, and returns the work done. Idempotent. With `dryRun` it
   * changes nothing, and returns the work that it would do. If the role may not make tables, run these statements as another role.
   *
   * @throws PosternError `store_newer`: written by a later version of this library; `store_invalid`: the schema holds
   *   something of another application, or the database is not in UTF8; `closed`
   */
  migrate(options?: MigrateOptions): Promise<Migration>;
}

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
  const store = new Tables(readPostgresOptions(options));
  const { tokens, endpoints, entries, usage, read, change, feed } = store;
  const schema = store.schema;
  return {
    findTokenByDigest: (digests) => read((db) => tokens.findByDigest(db, digests)),
    findTokenByKeyId: (keyIds) => read((db) => tokens.findByKeyId(db, keyIds)),
    findToken: (id) => read((db) => tokens.find(db, id)),
    listTokens: (query) => read((db) => listTokens(db, schema, query)),
    countTokens: (filter, atMost) => read((db) => countTokens(db, schema, filter, atMost)),
    insertToken: (token, secret, made) => change(made, NOBODY, () => tokens.insert(token, secret)),
    replaceToken: (token, expectedVersion, rotation, made) =>
      change(made, ofToken(token.id), () => tokens.replace(token, expectedVersion, rotation)),
    revokeToken: (id, at, made) => change(made, ofToken(id), () => tokens.revoke(id, at)),
    deleteToken: (id, made) => change(made, ofToken(id), () => tokens.delete(id)),
    listExpiredTokens: (organization, before, limit) =>
      read((db) => listExpiredTokens(db, schema, organization, before, limit)),
    recordUsage: (usages) => read((db) => usage.record(db, usages)),
    listUsage: (ids, endpoint) => read((db) => usage.list(db, ids, endpoint)),
    listDailyUsage: (query) => read((db) => usage.listDaily(db, query)),
    trimDailyUsage: (before, limit) => read((db) => usage.trimDaily(db, before, limit)),
    listChanges: (query) => read((db) => listChanges(db, schema, query)),
    trimChanges: (before, limit) => read((db) => trimChanges(db, schema, before, limit)),
    findEndpoint: (organization, id) => read((db) => endpoints.find(db, organization, id)),
    findEndpoints: (organization, ids) => read((db) => endpoints.findSome(db, organization, ids)),
    listEndpoints: (query) => read((db) => endpoints.list(db, query)),
    insertEndpoint: (endpoint, made) =>
      change(made, ofEndpoints(endpoint.organization), () => endpoints.insert(endpoint)),
    replaceEndpoint: (endpoint, expectedVersion, made) =>
      change(made, ofEndpoints(endpoint.organization), () => endpoints.replace(endpoint, expectedVersion)),
    deleteEndpoint: (organization, id, made) =>
      change(made, ofEndpoints(organization), () => endpoints.delete(organization, id)),
    findEntry: (kind, id, now) => read((db) => entries.find(db, kind, id, now)),
    putEntry: (entry, expectedVersion, now) => read((db) => entries.put(db, entry, expectedVersion, now)),
    deleteEntry: (kind, id, expectedVersion, now) => read((db) => entries.delete(db, kind, id, expectedVersion, now)),
    trimEntries: (now, limit) => read((db) => entries.trim(db, now, limit)),
    ...(feed !== null && {
      subscribe: (listener) => feed.subscribe(listener),
      confirm: (timeout) => read(() => feed.confirm(timeout)),
    }),
    migrate: (migrateOptions) => store.migrate(migrateOptions),
    close: () => store.close(),
  };
}

/** How long `close` waits for a server that doesn't answer, in milliseconds. */
const FAREWELL = 1_000;

/** The state that the methods of one store share. */
class Tables {
  readonly schema: string;
  readonly tokens: TokenStatements;
  readonly endpoints: EndpointStatements;
  readonly entries: EntryStatements;
  readonly usage: UsageStatements;
  readonly feed: Feed | null;
  readonly #connections: Connections;
  readonly #db: Database;
  readonly #channel: PostgresChannel;
  #closing: Promise<void> | null = null;

  constructor(settings: PostgresSettings) {
    const { schema, heartbeat, listen } = settings;
    this.schema = quoted(schema);
    this.tokens = new TokenStatements(this.schema);
    this.endpoints = new EndpointStatements(this.schema);
    this.entries = new EntryStatements(this.schema);
    this.usage = new UsageStatements(this.schema);
    this.#connections = new Connections(settings);
    this.#db = new Database(this.#connections.pool, settings);
    const instance = randomUUID();
    this.#channel = new PostgresChannel(this.#db, this.#connections, schema, instance, heartbeat);
    this.feed = listen === false ? null : new Feed(this.#channel, instance, heartbeat);
  }

  readonly read = async <T>(work: (db: Database) => Promise<T>): Promise<T> => {
    await this.#enter();
    return work(this.#db);
  };

  readonly change = async (change: Change, invalidation: Stale | null, write: () => Write): Promise<boolean> => {
    await this.#enter();
    const { id } = change;
    // The input is read completely before anything is done.
    const { statement, values } = write();
    const payload = invalidation && payloadOf(messageOf(change, invalidation));
    const all = [...values, ...recordValues(change, this.#channel.name, payload)];
    const make = async () => {
      try {
        return (await this.#db.run(statement, all)).length > 0;
      } catch (error) {
        if (isTaken(error)) return false;
        throw error;
      }
    };
    return this.feed === null ? make() : this.feed.change(id, invalidation, make);
  };

  async migrate({ dryRun = false }: MigrateOptions = {}): Promise<Migration> {
    this.#assertOpen();
    return dryRun ? this.#db.plan() : this.#db.migrate();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const gone = this.feed?.close() ?? Promise.resolve();
    await within(gone, FAREWELL, '').catch(() => {});
    this.#db.close();
    await within(this.#connections.close(), FAREWELL, '').catch(() => {});
  }

  async #enter(): Promise<void> {
    this.#assertOpen();
    await this.#db.ready();
    await this.feed?.enter();
    this.#assertOpen();
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw new PosternError('closed', 'this store is closed: make another one');
  }
}
