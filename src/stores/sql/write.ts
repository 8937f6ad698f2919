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
  /** `false`: no cache holds anything of it, so other processes are not told. */
  readonly isTold?: boolean;
}

/** The texts of each write: making them takes as long as a small read. */
const texts = new WeakMap<Write, readonly string[]>();

/**
 * The statements of a write, with the row in the audit log. A write that loses a race changes no row, so what belongs to it finds
 * none. PostgreSQL does all in one statement; the others in one batch.
 */
export function statementsOf(dialect: Dialect, write: Write, values: Values): readonly SqlStatement[] {
  const known = texts.get(write) ?? textsOf(dialect, write);
  texts.set(write, known);
  const isDecided = !dialect.isOneStatement;
  return known.map((sql, index) =>
    dialect.statement(sql, values, { isFrequent: true, decides: isDecided && index === 0 }),
  );
}

function textsOf(dialect: Dialect, write: Write): readonly string[] {
  const { first, parts = () => [], source, last, isTold = true } = write;
  if (dialect.isOneStatement) return [asOne(dialect, write)];
  return [first, ...parts(source), ...dialect.record(source, isTold), ...(last === undefined ? [] : [last])];
}

function asOne(dialect: Dialect, { first, columns, parts = () => [], isTold = true }: Write): string {
  const [recorded, told] = dialect.record('written', isTold);
  const all = parts('written').map((sql, index) => `, part${index} AS (${sql})`);
  return `WITH written AS (${first} RETURNING ${columns})${all.join('')}, recorded AS (${recorded}) ${told}`;
}
