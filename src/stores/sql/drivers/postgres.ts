import type { SqlDriver, SqlRow, SqlStatement } from '../driver.js';
import { inOrder, isWhole, type SqlResult } from './in-order.js';

interface PgAnswer {
  readonly rows: readonly SqlRow[];
  readonly rowCount?: number | null;
  readonly affectedRows?: number | undefined;
}

const resultOf = ({ rows, rowCount, affectedRows }: PgAnswer): SqlResult => {
  return { rows, changes: rowCount ?? affectedRows ?? 0 };
};

/** The used part of PGlite, and of a transaction of it. */
export interface PgliteLike {
  query(sql: string, parameters?: unknown[]): Promise<PgAnswer>;
}

/** The used part of PGlite. */
export interface Pglite extends PgliteLike {
  transaction<T>(work: (transaction: PgliteLike) => Promise<T>): Promise<T>;
}

/** PGlite: PostgreSQL in the process. */
export function fromPglite(db: Pglite): SqlDriver {
  const on = (client: PgliteLike) => async (statement: SqlStatement) =>
    resultOf(await client.query(statement.sql, [...statement.parameters]));
  return {
    dialect: 'postgres',
    client: db,
    query: async (statement) => (await on(db)(statement)).rows,
    batch: (statements) =>
      isWhole(statements, 'postgres')
        ? inOrder(statements, on(db))
        : db.transaction((transaction) => inOrder(statements, on(transaction))),
  };
}

/** The used part of a connection, or a transaction, of postgres.js. */
export interface PostgresJsLike {
  unsafe(sql: string, parameters?: never[], options?: { prepare: boolean }): PromiseLike<readonly SqlRow[]>;
}

/** The used part of postgres.js. */
export interface PostgresJs extends PostgresJsLike {
  begin(work: (transaction: PostgresJsLike) => Promise<unknown>): PromiseLike<unknown>;
}

/** postgres.js. */
export function fromPostgresJs(sql: PostgresJs): SqlDriver {
  const on = (client: PostgresJsLike) => async (statement: SqlStatement) => {
    // It asks the server for the types of parameters, and takes a number for a text only as a text.
    const parameters = statement.parameters.map((value) => (typeof value === 'number' ? String(value) : value));
    const rows = await client.unsafe(statement.sql, parameters as never[], { prepare: statement.isFrequent === true });
    return { rows, changes: (rows as { count?: number }).count ?? rows.length };
  };
  return {
    dialect: 'postgres',
    client: sql,
    query: async (statement) => (await on(sql)(statement)).rows,
    batch: async (statements) =>
      isWhole(statements, 'postgres')
        ? inOrder(statements, on(sql))
        : ((await sql.begin((transaction) => inOrder(statements, on(transaction)))) as readonly number[]),
  };
}
