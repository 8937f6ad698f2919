/** A parameter. Lists and records are passed as JSON texts. */
export type SqlValue = string | number | null;

/** A row by column name. A 64-bit integer may be a number, a bigint or a text. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** One statement. Its parameters are `$1`, `$2`, … for PostgreSQL, where one may be used several times, and `?` for the others. */
export interface SqlStatement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
  /** It is asked often, with the same text: preparing it pays. */
  readonly isFrequent?: boolean;
  /** It finds one row or none. A driver may then read no further than the first. */
  readonly findsOne?: boolean;
  /** If it changes no row, the statements after it in the batch change none either. A driver may then leave them out. */
  readonly decides?: boolean;
}

/** The SQL that a database speaks. `mysql` is MariaDB, too. */
export type DialectName = 'postgres' | 'mysql' | 'sqlite';

/** Everything that a store needs from a database. A driver rejects after some time; it never waits for ever. */
export interface SqlDriver {
  readonly dialect: DialectName;
  /** The client that runs the statements. Given as `within`, the driver is a transaction only if its client is one. */
  readonly client?: object;
  /** Runs one statement, and returns its rows. */
  query(statement: SqlStatement): Promise<readonly SqlRow[]>;
  /**
   * Runs statements in their order, in one transaction: all or nothing, and durable once it resolves. Returns the number of rows
   * that each has changed, or returned; 0 for those left out. MySQL: at READ COMMITTED, or statements may block each other.
   */
  batch(statements: readonly SqlStatement[]): Promise<readonly number[]>;
  /** Frees what the driver has opened itself. */
  close?(): Promise<void>;
}
