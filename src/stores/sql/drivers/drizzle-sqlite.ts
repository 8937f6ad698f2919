import type { DialectName, SqlDriver, SqlRow, SqlStatement } from '../driver.js';
import { assertNotBegun } from './begun.js';
import { gapsOf } from './gaps.js';

/** Drizzle's `sql`. */
export type DrizzleSql = (texts: TemplateStringsArray, ...values: unknown[]) => unknown;

/** The used part of Drizzle over SQLite: `better-sqlite3`, `@libsql/client`, D1, and a transaction of it. */
export interface DrizzleSqlite {
  /** The connection of `better-sqlite3`. */
  readonly $client?: object;
  all(query: never): unknown;
  run(query: never): unknown;
  /** D1 and libSQL: several statements in one request, and one transaction. */
  batch?(statements: never): PromiseLike<readonly unknown[]>;
  transaction(work: (transaction: DrizzleSqlite) => never, config?: { behavior: 'immediate' }): unknown;
}

/** A statement in the form of Drizzle's `sql`. */
export function drizzleQuery(statement: SqlStatement, tag: DrizzleSql, dialect: DialectName): never {
  const { texts, values } = gapsOf(statement, dialect);
  return tag(Object.assign(texts, { raw: texts }), ...values) as never;
}

export function fromDrizzleSqlite(db: DrizzleSqlite, sql: DrizzleSql): SqlDriver {
  const form = (statement: SqlStatement) => drizzleQuery(statement, sql, 'sqlite');
  return {
    dialect: 'sqlite',
    client: db,
    query: async (statement) => {
      assertNotBegun(db.$client ?? {});
      return (await db.all(form(statement))) as readonly SqlRow[];
    },
    batch: async (statements) => {
      assertNotBegun(db.$client ?? {});
      if (db.batch !== undefined) {
        return (await db.batch(statements.map((statement) => db.run(form(statement))) as never)).map(changesOf);
      }
      // `better-sqlite3` is synchronous, and its transaction must be.
      const work = (tx: DrizzleSqlite) => statements.map((statement) => changesOf(tx.run(form(statement))));
      return db.transaction(work as never, { behavior: 'immediate' }) as readonly number[];
    },
  };
}

/** `better-sqlite3`, libSQL, D1. */
function changesOf(result: unknown): number {
  const { changes, rowsAffected, meta } = result as Record<string, unknown> & { meta?: { changes?: number } };
  return Number(changes ?? rowsAffected ?? meta?.changes ?? 0);
}
