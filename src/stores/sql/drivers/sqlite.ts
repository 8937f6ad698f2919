import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from '../driver.js';
import { assertNotBegun, type Connection } from './begun.js';
import { type PreparingDatabase, SyncStatements } from './sync-statements.js';

/** The used part of an open database of `node:sqlite`, `better-sqlite3` or `libsql`. */
export interface SyncSqlite extends Connection, PreparingDatabase {
  exec(sql: string): unknown;
}

/**
 * A database that an application has opened with `node:sqlite`, `better-sqlite3` or `libsql`. Give postern a file of its own
 * (`sqliteStore`) where you can: it is opened so that confirmed changes survive a loss of power.
 */
export function fromSqlite(database: SyncSqlite): SqlDriver {
  const statements = new SyncStatements(database);
  return {
    dialect: 'sqlite',
    client: database,
    query: async (statement) => {
      if (assertNotBegun(database)) return statements.all(statement);
      // SQLite itself refuses to begin inside of a transaction.
      database.exec('BEGIN');
      try {
        return statements.all(statement);
      } finally {
        database.exec('COMMIT');
      }
    },
    batch: async (batch) => {
      assertNotBegun(database);
      database.exec('BEGIN IMMEDIATE');
      try {
        const counts = batch.map((statement) => statements.run(statement));
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
