import { BoundedMap } from '../../../base/bounded-map.js';
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from '../driver.js';
import { assertNotBegun, type Connection } from './begun.js';

/** The most prepared statements of a database that are kept: preparing one takes as long as a small write. */
const MOST_KEPT = 200;

/** The used part of an open database of `node:sqlite`, `better-sqlite3` or `libsql`. */
export interface SyncSqlite extends Connection {
  exec(sql: string): unknown;
  /** The parameters of its statements are those of {@link SqlValue}; each client has a type of its own for them. */
  prepare(sql: string): {
    all(...parameters: never[]): unknown[];
    run(...parameters: never[]): { readonly changes: number | bigint };
  };
}

interface Statement {
  all(...parameters: readonly SqlValue[]): unknown[];
  run(...parameters: readonly SqlValue[]): { readonly changes: number | bigint };
}

/**
 * A database that an application has opened with `node:sqlite`, `better-sqlite3` or `libsql`. Give postern a file of its own
 * (`sqliteStore`) where you can: it is opened so that confirmed changes survive a loss of power.
 */
export function fromSqlite(database: SyncSqlite): SqlDriver {
  const kept = new BoundedMap<string, Statement>(MOST_KEPT);
  const use = <T>({ sql }: SqlStatement, work: (statement: Statement) => T): T => {
    const statement = kept.get(sql) ?? (database.prepare(sql) as Statement);
    // Not after an error: libsql throws it again at the next use.
    kept.delete(sql);
    const result = work(statement);
    kept.set(sql, statement);
    return result;
  };
  const all = (statement: SqlStatement) => use(statement, (it) => it.all(...statement.parameters) as SqlRow[]);
  const run = (statement: SqlStatement) => Number(use(statement, (it) => it.run(...statement.parameters)).changes);
  return {
    dialect: 'sqlite',
    client: database,
    query: async (statement) => {
      if (assertNotBegun(database)) return all(statement);
      // SQLite itself refuses to begin inside of a transaction.
      database.exec('BEGIN');
      try {
        return all(statement);
      } finally {
        database.exec('COMMIT');
      }
    },
    batch: async (statements) => {
      assertNotBegun(database);
      database.exec('BEGIN IMMEDIATE');
      try {
        const counts = statements.map(run);
        database.exec('COMMIT');
        return counts;
      } catch (error) {
        database.exec('ROLLBACK');
        throw error;
      }
    },
  };
}

interface LibsqlStatement {
  sql: string;
  args: SqlValue[];
}

/** The used part of a client of `@libsql/client`: a file, or Turso over HTTP. */
export interface LibsqlClient {
  execute(statement: LibsqlStatement): Promise<{ readonly rows: readonly unknown[]; readonly rowsAffected: number }>;
  batch(statements: LibsqlStatement[], mode: 'write'): Promise<readonly { readonly rowsAffected: number }[]>;
}

/** `@libsql/client`: libSQL's server, Turso. A batch is one request, and one transaction. */
export function fromLibsql(client: LibsqlClient): SqlDriver {
  const form = ({ sql, parameters }: SqlStatement): LibsqlStatement => ({ sql, args: [...parameters] });
  return {
    dialect: 'sqlite',
    client,
    query: async (statement) => (await client.execute(form(statement))).rows as SqlRow[],
    batch: async (statements) =>
      (await client.batch(statements.map(form), 'write')).map(({ rowsAffected }) => rowsAffected),
  };
}

interface D1Statement {
  bind(...values: SqlValue[]): D1Statement;
  all(): Promise<{ readonly results: readonly unknown[] }>;
}

/** The used part of a binding to Cloudflare D1. */
export interface D1 {
  prepare(sql: string): D1Statement;
  batch(statements: never[]): Promise<readonly { readonly meta: { readonly changes?: number } }[]>;
}

/** Cloudflare D1. A batch is one request, and one transaction. */
export function fromD1(db: D1): SqlDriver {
  const form = ({ sql, parameters }: SqlStatement) => db.prepare(sql).bind(...parameters);
  return {
    dialect: 'sqlite',
    query: async (statement) => (await form(statement).all()).results as SqlRow[],
    batch: async (statements) =>
      (await db.batch(statements.map(form) as never[])).map(({ meta }) => Number(meta.changes ?? 0)),
  };
}

/** The used part of `ctx.storage` of a Durable Object with SQL. */
export interface DurableStorage {
  readonly sql: { exec(sql: string, ...parameters: SqlValue[]): { toArray(): unknown[] } };
  transactionSync<T>(work: () => T): T;
}

/** A Durable Object's own database. */
export function fromDurableObject(storage: DurableStorage): SqlDriver {
  const run = ({ sql, parameters }: SqlStatement) => storage.sql.exec(sql, ...parameters).toArray() as SqlRow[];
  return {
    dialect: 'sqlite',
    query: async (statement) => run(statement),
    batch: async (statements) =>
      storage.transactionSync(() =>
        statements.map((statement) => {
          run(statement);
          return Number(run({ sql: 'SELECT changes() AS changes', parameters: [] })[0]?.changes);
        }),
      ),
  };
}
