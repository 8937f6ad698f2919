import { findDriver, noDriver } from '../shared/driver.js';
import type { Row } from '../sql/rows.js';

/** A statement as `pg` takes it. One with a `name` is prepared once for each connection. */
export interface PgQuery {
  text: string;
  values?: unknown[];
  name?: string;
}

/** What is used of the answer to a query. */
export interface PgResult {
  readonly rows: readonly Row[];
}

/** What LISTEN hears. */
export interface PgNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/** What is used of an open connection of `pg`, or of anything like it. */
export interface PgClient {
  query(query: PgQuery): Promise<PgResult>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: PgNotification) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  unref?(): void;
}

/** A connection out of a pool. `release(true)` closes it instead of giving it back. */
export interface PgPoolClient extends PgClient {
  release(destroy?: boolean): void;
}

/** What is used of a `Pool` of `pg`. */
export interface PgPool {
  connect(): Promise<PgPoolClient>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  readonly options?: { readonly max?: number | undefined };
}

/** What the feed of changes uses of a `Client` of `pg` that is not connected yet. */
export interface PgConnection extends PgClient {
  connect(): Promise<unknown>;
  end(): Promise<void>;
}

interface PgModule {
  readonly Pool: new (config: object) => PgPool & { end(): Promise<void> };
  readonly Client: new (config: object) => PgConnection;
}

/**
 * The package `pg`, loaded only where this store makes connections itself.
 *
 * @throws PosternError `driver_missing`
 */
export function loadPg(): PgModule {
  const found = findDriver('pg');
  if (found === null) throw noDriver(['pg'], 'postgresStore({ pool })');
  return found as PgModule;
}
