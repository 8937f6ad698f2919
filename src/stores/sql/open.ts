import { PosternError } from '../../domain/errors.js';
import type { Confirmation, Store } from '../../ports/store.js';
import { within } from '../shared/deadline.js';
import type { Told } from '../shared/feed/message.js';
import type { Listener } from '../shared/listeners.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import type { Dialect } from './dialect.js';
import type { SqlDriver } from './driver.js';
import { dryRun, migrate, planMigration, verify } from './migrate.js';
import { type Reader, ReplicaMirror } from './mirror/mirror.js';
import type { MigrateMode } from './place.js';
import { storeOver } from './store.js';
import { inTransaction } from './transaction.js';

/** How long `close` waits for a server that doesn't answer, in milliseconds. */
const FAREWELL = 1_000;

/** A {@link Store} that makes and upgrades its own tables. */
export interface SqlStore extends Store {
  /**
   * Makes or upgrades the tables now instead of with the first call, and returns the work done. Idempotent. With `dryRun` it
   * changes nothing, and returns the work that it would do, or how the tables differ. If the role may not make tables, run these statements as another role.
   * A store with `migrate: 'verify'` only compares the tables.
   *
   * @throws PosternError `store_newer`: written by a later version of this library; `store_invalid`: the names of the tables
   *   belong to another application, the database can't hold every name, or the tables differ (`'verify'`); `closed`
   */
  migrate(options?: MigrateOptions): Promise<Migration>;
}

/** How processes hear of each other's changes. */
export interface StoreFeed {
  enter(): Promise<void> | undefined;
  change(told: readonly Told[], make: () => Promise<readonly boolean[]>): Promise<readonly boolean[]>;
  subscribe(listener: Listener): () => void;
  confirm?(timeout: number): Promise<Confirmation>;
  close(): Promise<void>;
}

export interface OpenOptions {
  readonly dialect: Dialect;
  readonly driver: SqlDriver;
  /** `null`: nobody is told. */
  readonly feed: StoreFeed | null;
  readonly migrates: MigrateMode;
  /** How long a call waits for the tables, in milliseconds. */
  readonly timeout: number;
  /** A replica, for a store with a feed. `null`: verification reads from the primary. */
  readonly reader?: Reader | null;
  /** Closes connections that belong to the store. */
  readonly release?: () => Promise<void>;
}

/** A store over a driver. The first call makes the tables, or compares them. */
export function openStore({ dialect, driver, feed, migrates, timeout, reader, release }: OpenOptions): SqlStore {
  let isReady = false;
  let migrating: Promise<Migration> | null = null;
  let closing: Promise<void> | null = null;

  const assertOpen = () => {
    if (closing !== null) throw new PosternError('closed', 'this store is closed: make another one');
  };
  const migrateOnce = () => {
    migrating ??= (migrates === 'verify' ? verify : migrate)(driver, dialect)
      .then((migration) => {
        isReady = true;
        return migration;
      })
      .finally(() => {
        migrating = null;
      });
    return migrating;
  };
  const enter = async () => {
    assertOpen();
    if (!isReady) await within(migrateOnce(), timeout, `the tables were not ready in ${timeout} ms`);
    await feed?.enter();
    assertOpen();
  };
  /** Asked in the transaction itself: it may have the only connection, and its connection may have other settings. */
  const assertFit = async (inside: SqlDriver) => {
    if (isReady && !dialect.dependsOnConnection) return;
    const { statements } = await planMigration(inside, dialect);
    if (statements.length === 0) return;
    const problem = 'the tables are not there, or of an earlier version: await store.migrate() before your transaction';
    throw new PosternError('store_invalid', problem);
  };
  /** If the tables are gone, the next call makes them. */
  const noticing = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (error) {
      if (dialect.isMissingTable(error)) isReady = false;
      throw error;
    }
  };
  const close = async () => {
    await within(feed?.close() ?? Promise.resolve(), FAREWELL, '').catch(() => {});
    await within(mirror?.close() ?? Promise.resolve(), FAREWELL, '').catch(() => {});
    await driver.close?.();
    await within(release?.() ?? Promise.resolve(), FAREWELL, '').catch(() => {});
  };
  const { confirm } = feed ?? {};
  const noticed = {
    query: (statement: Parameters<SqlDriver['query']>[0]) => noticing(driver.query(statement)),
    batch: (statements: Parameters<SqlDriver['batch']>[0]) => noticing(driver.batch(statements)),
  };
  const primary = storeOver({ dialect, driver: noticed, enter, feed });
  const mirror =
    reader && feed ? new ReplicaMirror({ ...reader, dialect, primary, write: noticed.batch, enter }) : null;
  // First of the listeners: the others read again when they hear.
  if (mirror !== null) feed?.subscribe((invalidation) => mirror.hear(invalidation));
  return {
    ...primary,
    ...(mirror !== null && { mirror }),
    ...(feed !== null && { subscribe: (listener) => feed.subscribe(listener) }),
    ...(confirm !== undefined && {
      confirm: async (patience) => {
        await enter();
        return confirm.call(feed, patience);
      },
    }),
    within: async (transaction, work) => {
      assertOpen();
      return inTransaction({ dialect, timeout, assertFit }, transaction, work);
    },
    migrate: async (asked) => {
      assertOpen();
      return asked?.dryRun ? dryRun(driver, dialect) : migrateOnce();
    },
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
