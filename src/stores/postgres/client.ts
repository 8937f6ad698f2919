import { findDriver, noDriver } from '../shared/driver.js';
import type { SqlRow } from '../sql/driver.js';

/** A statement for `pg`. With a `name` it is prepared once for each connection. */
export interface PgQuery {
  text: string;
  values?: unknown[];
  name?: string;
}

/** The used part of a query's result. */
export interface PgResult {
  readonly rows: readonly SqlRow[];
  readonly rowCount: number | null;
}

/** A notification that LISTEN receives. */
export interface PgNotification {
  readonly channel: string;
  readonly payload?: string | undefined;
}

/** The used part of an open connection of `pg`, or of an object like it. */
export interface PgClient {
  query(query: PgQuery): Promise<PgResult>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'notification', listener: (message: PgNotification) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  unref?(): void;
}

/** A connection from a pool. `release(true)` closes it instead of giving it back. */
export interface PgPoolClient extends PgClient {
  release(destroy?: boolean): void;
}

/** The used part of a `Pool` of `pg`. */
export interface PgPool {
  connect(): Promise<PgPoolClient>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  removeListener(event: 'error', listener: (error: Error) => void): unknown;
  readonly options?: { readonly max?: number | undefined };
}

/** The part that the feed uses of a `Client` of `pg`. It is not connected yet. */
export interface PgConnection extends PgClient {
  connect(): Promise<unknown>;
  end(): Promise<void>;
}

interface PgModule {
  readonly Pool: new (config: object) => PgPool & { end(): Promise<void> };
  readonly Client: new (config: object) => PgConnection;
}

/**
 * The package `pg`, loaded only if this store makes connections itself.
 *
 * @throws PosternError `driver_missing`
 */
export function loadPg(): PgModule {
  const found = findDriver('pg');
  if (found === null) throw noDriver(['pg'], 'postgresStore({ pool })');
  return found as PgModule;
}
