import type { SqlDriver, SqlRow, SqlStatement } from '../driver.js';

interface NeonResult {
  readonly rows: readonly unknown[];
  readonly rowCount: number | null;
}

/** The used part of `neon(…)` of `@neondatabase/serverless`. */
export interface NeonLike {
  query(sql: string, parameters: unknown[], options: { fullResults: true }): PromiseLike<unknown>;
  transaction(queries: never[], options: { fullResults: true; isolationLevel: 'ReadCommitted' }): PromiseLike<unknown>;
}

/** Neon's driver over HTTP. A batch is one request, and one transaction. */
export function fromNeon(sql: NeonLike): SqlDriver {
  const ask = (statement: SqlStatement) =>
    sql.query(statement.sql, [...statement.parameters], { fullResults: true }) as PromiseLike<NeonResult>;
  return {
    dialect: 'postgres',
    query: async (statement) => (await ask(statement)).rows as readonly SqlRow[],
    batch: async (statements) => {
      const options = { fullResults: true, isolationLevel: 'ReadCommitted' } as const;
      const results = (await sql.transaction(statements.map(ask) as never[], options)) as readonly NeonResult[];
      return results.map(({ rows, rowCount }) => rowCount ?? rows.length);
    },
  };
}
