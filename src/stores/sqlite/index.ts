import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from '../../base/turns.js';
import { PosternError } from '../../domain/errors.js';
import type { Change } from '../../ports/changes.js';
import type { Stale, Store } from '../../ports/store.js';
import { NOBODY, ofEndpoints, ofToken } from '../shared/feed/message.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import { listChanges, trimChanges } from './changes.js';
import type { Connection } from './connection.js';
import { isBusy, loadDriver } from './driver.js';
import * as endpoints from './endpoints.js';
import * as entries from './entries.js';
import { appendChange, ChangeFeed } from './feed.js';
import { MEMORY, openDatabase, planDatabase } from './file.js';
import { readSqliteOptions, type SqliteSettings, type SqliteStoreOptions } from './options.js';
import { SCHEMA_VERSION } from './schema.js';
import * as lists from './token-lists.js';
import * as tokens from './tokens.js';
import { listDailyUsage, listUsage, recordUsage, trimDailyUsage } from './usage.js';
import { WriteQueue } from './write-queue.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { SqliteConstructor, SqliteDatabase, SqliteDriver, SqliteStatement, SqlValue } from './driver.js';
export type { SqliteStoreOptions } from './options.js';

/** How long a call waits for another process's lock before it rejects, in milliseconds. */
const BUSY_LIMIT = 10_000;
const BUSY_PAUSE = 10;

/** A {@link Store} that makes and upgrades its own tables. */
export interface SqliteStore extends Store {
  /**
   * Opens the file now instead of with the first call, makes or upgrades its tables, and returns the work done. Idempotent.
   * With `dryRun` it changes nothing, and returns the work that it would do.
   *
   * @throws PosternError `store_invalid`: not a database, another application's, or no such directory; `store_newer`:
   *   written by a later version of this library; `driver_missing`; `closed`
   */
  migrate(options?: MigrateOptions): Promise<Migration>;
}

/**
 * The embedded store: one SQLite file, in WAL mode, which several processes of one machine may share. Confirmed changes survive
 * the end of the process and a loss of power (`synchronous = FULL`). Another process's change is seen after `pollInterval`.
 * Processes do not answer each other: `tokens.revoke(id, { wait: true })` always waits for `cache.ttl`.
 *
 * The file is opened with the first call; this function only checks its options. If opening fails, the call rejects, and the next
 * call tries again. Use `await store.migrate()` at the start to find problems before the first request.
 *
 * SQLite works on the event loop's thread. A look-up takes microseconds. A change takes one `fsync`, which concurrent changes
 * share. Calls that follow each other without a pause let the event loop turn after some milliseconds. While the file is open
 * there are also the files `-wal` and `-shm`; with `libsql` they stay after closing. To make a backup while it runs, copy all
 * three, or use `VACUUM INTO`.
 *
 * @example
 * const store = sqliteStore({ filename: './postern.db' });
 * const postern = createPostern({ store });
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  const database = new LazyDatabase(readSqliteOptions(options));
  const { read, write, change } = database;
  return {
    findTokenByDigest: (digests) => read((db) => tokens.findTokenByDigest(db, digests)),
    findTokenByKeyId: (keyIds) => read((db) => tokens.findTokenByKeyId(db, keyIds)),
    findToken: (id) => read((db) => tokens.findToken(db, id)),
    listTokens: (query) => read((db) => lists.listTokens(db, query)),
    countTokens: (filter, atMost) => read((db) => lists.countTokens(db, filter, atMost)),
    insertToken: (token, secret, made) => change(made, NOBODY, (db) => tokens.insertToken(db, token, secret)),
    replaceToken: (token, expectedVersion, rotation, made) =>
      change(made, ofToken(token.id), (db) => tokens.replaceToken(db, token, expectedVersion, rotation)),
    revokeToken: (id, at, made) => change(made, ofToken(id), (db) => tokens.revokeToken(db, id, at)),
    deleteToken: (id, made) => change(made, ofToken(id), (db) => tokens.deleteToken(db, id)),
    listExpiredTokens: (organization, before, limit) =>
      read((db) => lists.listExpiredTokens(db, organization, before, limit)),
    recordUsage: async (usages) => {
      await write((db) => {
        recordUsage(db, usages);
        return true;
      });
    },
    listUsage: (ids, endpoint) => read((db) => listUsage(db, ids, endpoint)),
    listDailyUsage: (query) => read((db) => listDailyUsage(db, query)),
    trimDailyUsage: async (before, limit) => (await database.trim((db) => trimDailyUsage(db, before, limit))) === limit,
    listChanges: (query) => read((db) => listChanges(db, query)),
    trimChanges: (before, limit) => database.trim((db) => trimChanges(db, before, limit)),
    findEndpoint: (organization, id) => read((db) => endpoints.findEndpoint(db, organization, id)),
    findEndpoints: (organization, ids) => read((db) => endpoints.findEndpoints(db, organization, ids)),
    listEndpoints: (query) => read((db) => endpoints.listEndpoints(db, query)),
    insertEndpoint: (endpoint, made) =>
      change(made, ofEndpoints(endpoint.organization), (db) => endpoints.insertEndpoint(db, endpoint)),
    replaceEndpoint: (endpoint, expectedVersion, made) =>
      change(made, ofEndpoints(endpoint.organization), (db) =>
        endpoints.replaceEndpoint(db, endpoint, expectedVersion),
      ),
    deleteEndpoint: (organization, id, made) =>
      change(made, ofEndpoints(organization), (db) => endpoints.deleteEndpoint(db, organization, id)),
    findEntry: (kind, id, now) => read((db) => entries.findEntry(db, kind, id, now)),
    putEntry: (entry, expectedVersion, now) => write((db) => entries.putEntry(db, entry, expectedVersion, now)),
    deleteEntry: (kind, id, expectedVersion, now) =>
      write((db) => entries.deleteEntry(db, kind, id, expectedVersion, now)),
    trimEntries: (now, limit) => database.trim((db) => entries.trimEntries(db, now, limit)),
    subscribe: (listener) => database.feed.subscribe(listener),
    migrate: (migrateOptions) => database.migrate(migrateOptions),
    close: () => database.close(),
  };
}

/** One connection, opened when it is first needed. Work on it is synchronous, so calls are never interleaved. */
class LazyDatabase {
  readonly #settings: SqliteSettings;
  readonly #turns = new Turns();
  readonly #writes = new WriteQueue((work) => this.#attempt(work));
  readonly feed: ChangeFeed;
  #connection: Connection | null = null;
  /** The result of opening it. */
  #migration: Migration | null = null;
  #closing: Promise<void> | null = null;
  #closed = false;

  constructor(settings: SqliteSettings) {
    this.#settings = settings;
    this.feed = new ChangeFeed(settings.pollInterval);
  }

  readonly read = async <T>(work: (db: Connection) => T): Promise<T> => {
    this.#assertOpen();
    let waited = 0;
    for (let turn = this.#turns.wait(waited); turn !== null; turn = this.#turns.wait(++waited)) await turn;
    this.#assertOpen();
    return this.#attempt(work);
  };

  /** In a transaction. `false` undoes it. */
  readonly write = async (work: (db: Connection) => boolean, committed = () => {}): Promise<boolean> => {
    this.#assertOpen();
    return this.#writes.add({ work, committed });
  };

  /** The same, with a row in the audit log. Listeners are told before the call returns. */
  readonly change = async (
    change: Change,
    invalidation: Stale | null,
    work: (db: Connection) => boolean,
  ): Promise<boolean> => {
    let seq = 0;
    return this.write(
      (db) => {
        if (!work(db)) return false;
        seq = appendChange(db, change, invalidation);
        return true;
      },
      () => this.feed.own(seq, invalidation),
    );
  };

  /** The same for work that returns a count. */
  readonly trim = async (work: (db: Connection) => number): Promise<number> => {
    let trimmed = 0;
    await this.write((db) => {
      trimmed = work(db);
      return trimmed > 0;
    });
    return trimmed;
  };

  async migrate({ dryRun = false }: MigrateOptions = {}): Promise<Migration> {
    const isOpen = this.#connection !== null;
    if (dryRun && !isOpen) {
      this.#assertOpen();
      const { filename, driver } = this.#settings;
      return planDatabase(loadDriver(driver), filename);
    }
    await this.read(() => {});
    const done = this.#migration;
    return isOpen || done === null ? { from: SCHEMA_VERSION, to: SCHEMA_VERSION, statements: [] } : done;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writes.idle();
    this.#closed = true;
    this.feed.stop();
    const connection = this.#connection;
    this.#connection = null;
    if (connection === null) return;
    try {
      // Makes the file complete without its -wal. SQLite does this on the last close, but libsql closes at garbage collection.
      connection.get('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Another connection is using the file. The next one to open it reads the -wal.
    } finally {
      connection.close();
    }
  }

  /** Does `work`, and repeats it while another process holds the lock. The event loop runs in between. */
  async #attempt<T>(work: (db: Connection) => T): Promise<T> {
    const giveUpAt = Date.now() + BUSY_LIMIT;
    for (;;) {
      try {
        return work(this.#open());
      } catch (error) {
        if (!isBusy(error) || Date.now() >= giveUpAt) throw error;
      }
      // Calls made before `close` are still done, but they don't wait for a lock.
      this.#assertOpen();
      await sleep(BUSY_PAUSE * (1 + Math.random()));
    }
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw closed();
  }

  #open(): Connection {
    if (this.#closed) throw closed();
    if (this.#connection === null) {
      const { filename, driver } = this.#settings;
      const { db, migration } = openDatabase(loadDriver(driver), filename);
      try {
        if (filename !== MEMORY) this.feed.start(db);
      } catch (error) {
        db.close();
        throw error;
      }
      this.#connection = db;
      this.#migration = migration;
    }
    return this.#connection;
  }
}

function closed(): PosternError {
  return new PosternError('closed', 'this store is closed: make another one');
}
