/**
 * A column of a table: `key` is a short text, `name` a long one that is compared too, `text` one that is only kept, `time` one that
 * the database writes.
 */
export type ColumnKind = 'serial' | 'sequence' | 'key' | 'name' | 'text' | 'integer' | 'token' | 'time';

/** A table, for every database. Columns with `?` may be NULL. */
export interface Table {
  readonly name: string;
  readonly columns: Readonly<Record<string, ColumnKind | `${ColumnKind}?`>>;
  readonly key: readonly string[];
  readonly indexes?: readonly Index[];
  /** PostgreSQL's `fillfactor`: room for rows that are often updated. */
  readonly fill?: number;
  /** Its rows are too large for the inner pages of a tree. */
  readonly isWide?: boolean;
}

export interface Index {
  readonly name: string;
  readonly columns: readonly string[];
  readonly isUnique?: boolean;
  /** Only rows where this column is not NULL, in databases that can do this. */
  readonly where?: string;
  /** Only for queries over everything, which have the condition {@link Dialect.everything}. */
  readonly isOfAll?: boolean;
}

/** A table as one database has it. All that makes, checks or prints a schema reads this. */
export interface Shape {
  /** With the prefix. */
  readonly name: string;
  readonly columns: readonly Column[];
  /** The primary key, and after it those that are unique. */
  readonly keys: readonly Key[];
  readonly indexes: readonly Key[];
}

export interface Column {
  readonly name: string;
  readonly kind: ColumnKind | 'hash';
  /** In SQL, without NOT NULL. */
  readonly type: string;
  readonly isOptional: boolean;
}

export interface Key {
  readonly name: string;
  readonly isUnique: boolean;
  readonly columns: readonly string[];
  /** The condition of a partial index. */
  readonly where?: string | undefined;
}

/** One part of a schema, as the database's own lists tell it. */
export interface Part {
  /** The table, with its prefix. */
  readonly of: string;
  /** `column id`, `index tokens_by_age`, … */
  readonly part: string;
  readonly form: string;
}

/** The beginning of a part that stands for a column which every INSERT must name: NOT NULL, without a default. */
export const DEMAND = 'demand ';

/** The columns of a table with their kinds, and whether each may be NULL. */
export function columnsOf({ columns }: Table) {
  return Object.entries(columns).map(([name, text]) => {
    const isOptional = text.endsWith('?');
    return { name, kind: (isOptional ? text.slice(0, -1) : text) as ColumnKind, isOptional };
  });
}

/** A column's line in CREATE TABLE. */
export function lineOf({ name, type, isOptional }: Column): string {
  return `${name} ${type}${isOptional ? '' : ' NOT NULL'}`;
}
