import { BoundedMap } from '../../../base/bounded-map.js';
import type { SqlRow, SqlStatement, SqlValue } from '../driver.js';

/** The most statements that are kept prepared: preparing one takes as long as a small write. */
const MOST_KEPT = 200;

/** The used part of an open database of `node:sqlite`, `better-sqlite3` or `libsql`. */
export interface PreparingDatabase {
  /** The parameters of its statements are those of {@link SqlValue}; each client has a type of its own for them. */
  prepare(sql: string): {
    get(...parameters: never[]): unknown;
    all(...parameters: never[]): unknown[];
    run(...parameters: never[]): { readonly changes: number | bigint };
  };
}

/** The used part of a prepared statement. It is the same in `node:sqlite`, `libsql` and `better-sqlite3`. */
export interface SqliteStatement {
  get(...parameters: readonly SqlValue[]): unknown;
  all(...parameters: readonly SqlValue[]): unknown[];
  run(...parameters: readonly SqlValue[]): { readonly changes: number | bigint };
}

/** `better-sqlite3` and `libsql` return rows as lists on demand. */
interface Statement extends SqliteStatement {
  raw?(): unknown;
  columns?(): readonly { readonly name: string }[];
}

interface Prepared {
  readonly statement: Statement;
  /** The names of its columns, if its rows are lists. */
  readonly names: readonly string[] | null;
}

/** The prepared statements of an open database. */
export class SyncStatements {
  readonly #database: PreparingDatabase;
  readonly #kept = new BoundedMap<string, Prepared>(MOST_KEPT);

  constructor(database: PreparingDatabase) {
    this.#database = database;
  }

  all(given: SqlStatement): readonly SqlRow[] {
    return this.#use(given, ({ statement, names }, parameters) => {
      if (!given.findsOne) return statement.all(...parameters) as SqlRow[];
      const row = statement.get(...parameters);
      if (row === undefined || row === null) return [];
      return [names === null ? (row as SqlRow) : named(names, row as readonly unknown[])];
    });
  }

  /** Returns the number of rows written. */
  run(given: SqlStatement): number {
    return this.#use(given, ({ statement }, parameters) => Number(statement.run(...parameters).changes));
  }

  clear(): void {
    this.#kept.clear();
  }

  #use<T>(given: SqlStatement, work: (prepared: Prepared, parameters: readonly SqlValue[]) => T): T {
    const { sql, parameters } = given;
    let prepared = this.#kept.get(sql);
    if (prepared === undefined) {
      prepared = prepare(this.#database, given);
      this.#kept.set(sql, prepared);
    }
    try {
      return work(prepared, parameters);
    } catch (error) {
      // libsql may throw a statement's error again at its next use, so the statement is prepared anew.
      this.#kept.delete(sql);
      throw error;
    }
  }
}

/** A row as a list takes libsql two thirds of the time that an object takes. */
function prepare(database: PreparingDatabase, { sql, findsOne }: SqlStatement): Prepared {
  const statement = database.prepare(sql) as Statement;
  if (!findsOne || !statement.raw || !statement.columns) return { statement, names: null };
  const names = statement.columns().map(({ name }) => name);
  statement.raw();
  return { statement, names };
}

function named(names: readonly string[], values: readonly unknown[]): SqlRow {
  const row: Record<string, unknown> = {};
  for (const [index, name] of names.entries()) row[name] = values[index];
  return row;
}
