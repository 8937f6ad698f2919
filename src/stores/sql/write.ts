import type { Dialect, Values } from './dialect.js';
import type { SqlStatement } from './driver.js';

/** A change of one row, and all that belongs to it. */
export interface Write {
  /** Changes the row, if it is there and may be changed. It also sets `last_change` to `:change`. */
  readonly first: string;
  /** The row, if this change has changed it: found by `:change`. */
  readonly source: string;
  /** The columns of it that `parts` use. */
  readonly columns: string;
  /** @param written the source of the row that was changed: without it, nothing is done */
  readonly parts?: (written: string) => readonly string[];
  /** Removes the row after that. */
  readonly last?: string;
}

/**
 * The statements of a write, with the row in the audit log. A write that loses a race changes no row, so what belongs to it finds
 * none. PostgreSQL does all in one statement; the others in one batch.
 */
export function statementsOf(dialect: Dialect, write: Write, values: Values): readonly SqlStatement[] {
  const { first, parts = () => [], source, last } = write;
  if (dialect.isOneStatement) return [dialect.statement(asOne(dialect, write), values)];
  const rest = [...parts(source), ...dialect.record(source, true), ...(last === undefined ? [] : [last])];
  return [dialect.statement(first, values, { decides: true }), ...rest.map((sql) => dialect.statement(sql, values))];
}

function asOne(dialect: Dialect, { first, columns, parts = () => [] }: Write): string {
  const [recorded, told] = dialect.record('written', true);
  const all = parts('written').map((sql, index) => `, part${index} AS (${sql})`);
  return `WITH written AS (${first} RETURNING ${columns})${all.join('')}, recorded AS (${recorded}) ${told}`;
}
