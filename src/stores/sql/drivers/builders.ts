import { PosternError } from '../../../domain/errors.js';
import type { DialectName, SqlDriver, SqlRow, SqlStatement } from '../driver.js';
import { type DrizzleSql, type DrizzleSqlite, drizzleQuery, fromDrizzleSqlite } from './drizzle-sqlite.js';
import { gapsOf } from './gaps.js';
import { inOrder, isWhole, type SqlResult } from './in-order.js';

/** The answers of many clients: `pg`, PGlite, `mysql2`, `mariadb`, postgres.js, `better-sqlite3`, libSQL. */
export function anyResult(answer: unknown): SqlResult {
  const isPair = Array.isArray(answer) && answer.length === 2 && (answer[1] === undefined || Array.isArray(answer[1]));
  const result: unknown = isPair ? answer[0] : answer;
  if (Array.isArray(result)) return { rows: result, changes: Number((result as { count?: number }).count ?? 0) };
  const { rows, rowCount, affectedRows, rowsAffected, changes } = (result ?? {}) as Record<string, unknown>;
  return {
    rows: Array.isArray(rows) ? (rows as SqlRow[]) : [],
    changes: Number(rowCount ?? affectedRows ?? rowsAffected ?? changes ?? 0),
  };
}

/** The used part of Kysely, and of a transaction of it. */
export interface KyselyLike {
  executeQuery(
    query: never,
  ): Promise<{ readonly rows: readonly unknown[]; readonly numAffectedRows?: bigint | undefined }>;
}

/** The used part of Kysely. */
export interface Kysely extends KyselyLike {
  transaction(): {
    setIsolationLevel(level: 'read committed'): {
      execute<T>(work: (transaction: KyselyLike) => Promise<T>): Promise<T>;
    };
    execute<T>(work: (transaction: KyselyLike) => Promise<T>): Promise<T>;
  };
}

let queries = 0;

const onKysely =
  (db: KyselyLike) =>
  async ({ sql, parameters }: SqlStatement): Promise<SqlResult> => {
    const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] };
    const compiled = { sql, parameters, query, queryId: { queryId: `postern-${++queries}` } };
    const { rows, numAffectedRows } = await db.executeQuery(compiled as never);
    return { rows: rows as readonly SqlRow[], changes: Number(numAffectedRows ?? 0) };
  };

/** An instance of Kysely that an application has already. */
export function fromKysely(db: Kysely, dialect: DialectName): SqlDriver {
  return {
    dialect,
    client: db,
    query: async (statement) => (await onKysely(db)(statement)).rows,
    batch: (statements) => {
      if (isWhole(statements, dialect)) return inOrder(statements, onKysely(db));
      const transaction = db.transaction();
      const begun = dialect === 'mysql' ? transaction.setIsolationLevel('read committed') : transaction;
      return begun.execute((trx) => inOrder(statements, onKysely(trx)));
    },
  };
}

/** The used part of Knex, and of a transaction of it. */
export interface KnexLike {
  raw(sql: string, bindings: readonly never[]): PromiseLike<unknown>;
}

/** The used part of Knex. */
export interface Knex extends KnexLike {
  transaction<T>(
    work: (transaction: KnexLike) => Promise<T>,
    config?: { isolationLevel: 'read committed' },
  ): Promise<T>;
}

const onKnex = (knex: KnexLike, dialect: DialectName) => async (statement: SqlStatement) => {
  const { texts, values } = gapsOf(statement, dialect);
  return anyResult(await knex.raw(texts.join('?'), values as never[]));
};

/** An instance of Knex that an application has already. */
export function fromKnex(knex: Knex, dialect: DialectName): SqlDriver {
  const config = dialect === 'mysql' ? ({ isolationLevel: 'read committed' } as const) : undefined;
  return {
    dialect,
    client: knex,
    query: async (statement) => (await onKnex(knex, dialect)(statement)).rows,
    batch: (statements) =>
      isWhole(statements, dialect)
        ? inOrder(statements, onKnex(knex, dialect))
        : knex.transaction((trx) => inOrder(statements, onKnex(trx, dialect)), config),
  };
}

/** The used part of Drizzle over PostgreSQL or MySQL, and of a transaction of it. */
export interface DrizzleLike {
  execute(query: never): PromiseLike<unknown>;
}

/** The used part of Drizzle over PostgreSQL or MySQL. */
export interface Drizzle extends DrizzleLike {
  readonly $client?: unknown;
  transaction<T>(
    work: (transaction: DrizzleLike) => Promise<T>,
    config?: { isolationLevel: 'read committed' },
  ): Promise<T>;
}

const onDrizzle = (db: DrizzleLike, tag: DrizzleSql, dialect: DialectName) => async (statement: SqlStatement) =>
  anyResult(await db.execute(drizzleQuery(statement, tag, dialect)));

/**
 * An instance of Drizzle that an application has already, and `sql` of `drizzle-orm`.
 *
 * @throws PosternError `option_invalid`: it has one connection of `pg` or `mysql2`, and no pool
 */
export function fromDrizzle(db: Drizzle, sql: DrizzleSql, dialect: 'postgres' | 'mysql'): SqlDriver;
export function fromDrizzle(db: DrizzleSqlite, sql: DrizzleSql, dialect: 'sqlite'): SqlDriver;
export function fromDrizzle(db: Drizzle | DrizzleSqlite, sql: DrizzleSql, dialect: DialectName): SqlDriver {
  if (!('execute' in db)) return fromDrizzleSqlite(db, sql);
  if (isOneConnection(db.$client)) {
    const problem =
      'has one connection: give it a pool. The store would read what a transaction of yours may roll back';
    throw new PosternError('option_invalid', problem, { path: 'db', input: 'fromDrizzle' });
  }
  const config = dialect === 'mysql' ? ({ isolationLevel: 'read committed' } as const) : undefined;
  return {
    dialect,
    client: db,
    query: async (statement) => (await onDrizzle(db, sql, dialect)(statement)).rows,
    batch: (statements) =>
      isWhole(statements, dialect)
        ? inOrder(statements, onDrizzle(db, sql, dialect))
        : db.transaction((tx) => inOrder(statements, onDrizzle(tx, sql, dialect)), config),
  };
}

/** A client of `pg`, or a connection of `mysql2`: Drizzle does its transactions, and everything beside them, on the same one. */
function isOneConnection(client: unknown): boolean {
  const has = (name: string) => typeof (client as Record<string, unknown> | null | undefined)?.[name] === 'function';
  const isOfPg = has('connect') && typeof client === 'object' && client !== null && 'processID' in client;
  return isOfPg || (has('beginTransaction') && !has('getConnection'));
}
