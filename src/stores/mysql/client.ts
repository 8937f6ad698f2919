import { findDriver, noDriver } from '../shared/driver.js';

/** A statement, and options that an application's pool may have set otherwise. */
export interface MysqlQuery {
  sql: string;
  rowsAsArray: false;
  namedPlaceholders: false;
}

/** The used part of a connection of `mysql2/promise` or `mariadb`. */
export interface MysqlConnection {
  /** As text. */
  query(query: MysqlQuery): Promise<unknown>;
  /** As a prepared statement. */
  execute(query: MysqlQuery, values: string[] | (string | null)[]): Promise<unknown>;
  release(): unknown;
  destroy(): unknown;
}

/** The used part of a pool of `mysql2/promise` or `mariadb`. */
export interface MysqlPool {
  getConnection(): Promise<MysqlConnection>;
}

/** A pool of `mysql2` with callbacks, which has one with promises. */
export interface MysqlCallbackPool {
  promise(): MysqlPool;
}

/** A pool that the store has made itself. */
export type OwnPool = MysqlPool & { end(): Promise<void> };

/** `mysql2` has a fixed number of types that it sends; as a text, an integer is read exactly, in LIMIT too. */
export function valuesOf(parameters: readonly (string | number | null)[]): (string | null)[] {
  return parameters.map((value) => (typeof value === 'number' ? String(value) : value));
}

/** The rows, and the number of rows changed. `mysql2` returns a pair, `mariadb` its first part. */
export function resultOf(answer: unknown): {
  readonly rows: readonly Record<string, unknown>[];
  readonly changes: number;
} {
  const isPair = Array.isArray(answer) && answer.length === 2 && (answer[1] === undefined || Array.isArray(answer[1]));
  const result: unknown = isPair ? answer[0] : answer;
  if (Array.isArray(result)) return { rows: result, changes: result.length };
  return { rows: [], changes: Number((result as { affectedRows?: unknown } | null)?.affectedRows ?? 0) };
}

/**
 * A pool of `mysql2` or `mariadb`, loaded only if this store makes connections itself.
 *
 * @throws PosternError `driver_missing`
 */
export function makePool(uri: string, timeout: number): OwnPool {
  const mysql2 = findDriver('mysql2/promise') as { createPool(options: object): OwnPool } | null;
  if (mysql2 !== null) {
    return mysql2.createPool({ uri, charset: 'utf8mb4', connectTimeout: timeout, maxIdle: 10, enableKeepAlive: true });
  }
  const mariadb = findDriver('mariadb') as { createPool(uri: string): OwnPool } | null;
  if (mariadb === null) throw noDriver(['mysql2', 'mariadb'], 'mysqlStore({ pool })');
  const url = new URL(uri);
  url.protocol = 'mariadb:';
  url.searchParams.set('connectTimeout', String(timeout));
  return mariadb.createPool(url.href);
}
