import type { DialectName, SqlRow, SqlStatement } from '../driver.js';

/** The rows of a statement, and the number of rows that it has changed. */
export interface SqlResult {
  readonly rows: readonly SqlRow[];
  readonly changes: number;
}

/** Runs statements one after the other. Where the one that decides has changed nothing, the rest is left out. */
export async function inOrder(
  statements: readonly SqlStatement[],
  run: (statement: SqlStatement) => Promise<SqlResult>,
): Promise<readonly number[]> {
  const counts: number[] = [];
  for (const statement of statements) {
    const { rows, changes } = await run(statement);
    counts.push(Math.max(changes, rows.length));
    if (counts.at(-1) === 0 && statement.decides) break;
  }
  return counts;
}

/** Whether a batch is a transaction by itself: a single statement of PostgreSQL. */
export function isWhole(statements: readonly SqlStatement[], dialect: DialectName): boolean {
  return dialect === 'postgres' && statements.length === 1;
}
