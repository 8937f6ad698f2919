import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from '../../base/turns.js';
import { PosternError } from '../../domain/errors.js';
import type { Store } from '../../ports/store.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import type { Dialect } from '../sql/dialect.js';
import { Sqlite } from '../sql/dialects/sqlite.js';
import type { SqlDriver, SqlRow, SqlStatement } from '../sql/driver.js';
import { PollingFeed } from '../sql/polling-feed.js';
import { SCHEMA_VERSION } from '../sql/schema.js';
import { storeOver } from '../sql/store.js';
import { inTransaction } from '../sql/transaction.js';
import type { Connection } from './connection.js';
import { isBusy, loadDriver } from './driver.js';
import { MEMORY, openDatabase, planDatabase } from './file.js';
import { dryRun, type Place } from './migrate.js';
import { readSqliteOptions, type SqliteSettings, type SqliteStoreOptions } from './options.js';
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
   * With `dryRun` it changes nothing, and returns the work that it would do, or how the tables differ. A store with
   * `migrate: 'verify'` only compares the tables.
   *
   * @throws PosternError `store_invalid`: not a database, another application's, or no such directory, or the tables differ
   *   (`'verify'`); `store_newer`: written by a later version of this library; `driver_missing`; `closed`
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
  const settings = readSqliteOptions(options);
  const dialect = new Sqlite(settings.prefix);
  const database = new LazyDatabase(settings, dialect);
  const { feed } = database;
  return {
    ...storeOver({ dialect, driver: database, enter: () => undefined, feed }),
    within: async (transaction, work) => {
      await database.open();
      return inTransaction({ dialect, timeout: BUSY_LIMIT }, transaction, work);
    },
    subscribe: (listener) => feed.subscribe(listener),
    migrate: (migrateOptions) => database.migrate(migrateOptions),
    close: () => database.close(),
  };
}

/** One connection, opened when it is first needed. Work on it is synchronous, so calls are never interleaved. */
class LazyDatabase implements SqlDriver {
  readonly dialect = 'sqlite';
  readonly feed: PollingFeed;
  readonly #settings: SqliteSettings;
  readonly #place: Place;
  readonly #turns = new Turns();
  readonly #writes: WriteQueue;
  #connection: Connection | null = null;
  /** The result of opening it. */
  #migration: Migration | null = null;
  #closing: Promise<void> | null = null;
  #closed = false;

  constructor(settings: SqliteSettings, dialect: Dialect) {
    this.#settings = settings;
    this.#place = { filename: settings.filename, dialect };
    this.#writes = new WriteQueue(dialect, (work) => this.#attempt(work));
    // A look doesn't wait for a lock: the next one finds everything.
    this.feed = new PollingFeed(dialect, settings.pollInterval, async (look) => this.#connection?.all(look) ?? []);
  }

  query(statement: SqlStatement): Promise<readonly SqlRow[]> {
    return this.#read((db) => db.all(statement));
  }

  async batch(statements: readonly SqlStatement[]): Promise<readonly number[]> {
    this.#assertOpen();
    return this.#writes.add(statements);
  }

  /** Resolves once the file is open, and has its tables. */
  open(): Promise<void> {
    return this.#read(() => {});
  }

  async migrate(options?: MigrateOptions): Promise<Migration> {
    const isOpen = this.#connection !== null;
    if (options?.dryRun) {
      if (isOpen) return this.#read((db) => dryRun(db, this.#place));
      this.#assertOpen();
      return planDatabase(loadDriver(this.#settings.driver), this.#place);
    }
    await this.open();
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
    void this.feed.close();
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

  #read<T>(work: (db: Connection) => T, waited = 0): Promise<T> {
    if (this.#closing !== null) return Promise.reject(closed());
    const turn = this.#turns.wait(waited);
    return turn === null ? this.#attempt(work) : turn.then(() => this.#read(work, waited + 1));
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
      const { filename, driver, migrate: migrates } = this.#settings;
      const { db, migration } = openDatabase(loadDriver(driver), this.#place, migrates);
      try {
        if (filename !== MEMORY) this.feed.begin(db.all(this.feed.latest));
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
