import type { DialectName, SqlStatement, SqlValue } from './driver.js';
import type { Part, Shape, Table } from './shape.js';

/** The values of a statement's parameters, by name. */
export type Values = Readonly<Record<string, SqlValue>>;

/** Columns with their types, for rows that are passed as JSON. */
export type RecordColumns = Readonly<Record<string, 'text' | 'integer'>>;

/** Some rows of a table. */
export interface Some {
  readonly table: string;
  /** The columns that name a row. */
  readonly key: string;
  readonly where: string;
  readonly order?: string;
  readonly limit: string;
}

/** Adds rows to a table, or to those that are there. */
export interface Addition {
  readonly table: string;
  readonly columns: readonly string[];
  readonly select: string;
  readonly key: readonly string[];
  /** The new values of columns of a row that is there. */
  readonly sets: (
    there: (column: string) => string,
    added: (column: string) => string,
  ) => Readonly<Record<string, string>>;
}

interface Compiled {
  readonly sql: string;
  readonly names: readonly string[];
}

/**
 * The differences between databases. Statements are written once, with `:name` for a text and `#name` for an integer; the default
 * below is what SQLite and PostgreSQL share.
 */
export abstract class Dialect {
  abstract readonly name: DialectName;
  /** The option that names the place of the tables. */
  readonly place: 'schema' | 'prefix' = 'prefix';
  /** Whether a change and all that belongs to it is one statement. Otherwise it is a batch. */
  readonly isOneStatement: boolean = false;
  /** Whether a transaction undoes changes of the schema too. */
  readonly undoesSchema: boolean = true;
  /** A condition that every token meets; `null`: none is needed. */
  readonly everything: string | null = null;
  /** Locks the rows that a SELECT reads. */
  readonly lock: string = '';
  /** Whether settings of a connection decide about what is stored ({@link inspect}). */
  readonly dependsOnConnection: boolean = false;
  /** Whether `RETURNING` tells the rows that a change has changed. Otherwise `ROW_COUNT()` tells their number. */
  readonly returnsRows: boolean = true;
  /** The end of an INSERT that does nothing where the key is taken. Without it, it fails ({@link isTaken}). */
  readonly unlessTaken: string = 'ON CONFLICT DO NOTHING';
  /** The tables that only this database needs. */
  readonly own: readonly Table[] = [];
  /** The table of the versions that were made. */
  readonly versions: Table = { name: 'migrations', columns: { version: 'integer' }, key: ['version'] };
  readonly #compiled = new Map<string, Compiled>();

  /** @param prefix of all names, checked: see `place.ts` */
  constructor(readonly prefix: string) {}

  /** The name of a table, an index, a trigger or a function in the database's own lists. */
  named(name: string): string {
    return this.prefix + name;
  }

  /** The same in statements. */
  table(name: string): string {
    return this.named(name);
  }

  /** The command that prints the statements of this schema. */
  get command(): string {
    return `postern schema --sql --dialect ${this.name} --prefix '${this.prefix}'`;
  }

  /** @param index from 1 */
  protected abstract placeholder(index: number, kind: 'text' | 'integer'): string;
  /** Whether a parameter may be used again by its number. */
  protected readonly isNumbered: boolean = false;

  /** The condition that the column has this value. */
  is(column: string, parameter: string): string {
    return `${column} = ${parameter}`;
  }

  /** The condition on a token's ownership. @param isAlone whether nothing narrower than it is asked for */
  abstract isOwnership(column: string, parameter: string, isAlone: boolean): string;

  /** A comparison of rows by several columns. */
  compare(columns: readonly string[], operator: '<' | '>' | '>=', parameters: readonly string[]): string {
    return `(${columns.join(', ')}) ${operator} (${parameters.join(', ')})`;
  }

  /** The condition that the column holds a text. No character is a wildcard. */
  abstract holds(column: string, parameter: string): string;
  /** The same; ASCII letters, and no others, are compared without case. */
  abstract holdsInAnyCase(column: string, parameter: string): string;
  /** A source of rows: a JSON list of objects. */
  abstract records(parameter: string, columns: RecordColumns): string;

  /** What a SELECT of values alone needs before its WHERE. */
  readonly fromNothing: string = '';
  abstract deleteSome(some: Some): string;

  add({ table, columns, select, key, sets }: Addition): string {
    const updates = sets(
      (column) => `there.${column}`,
      (column) => `excluded.${column}`,
    );
    return `INSERT INTO ${table} AS there (${columns.join(', ')}) ${select}
      ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${assignments(updates)}`;
  }

  /** Sets a column of the tokens `there` that meet the condition with one of the records `given`. */
  updateTokens(given: string, column: string, value: string, where: string): string {
    return `UPDATE ${this.table('tokens')} AS there SET ${column} = ${value} FROM ${given} AS given WHERE ${where}`;
  }

  /** Deletes the rows of a table whose column has one of the values in a column of a source, such as `written.seq`. */
  deleteListed(table: string, column: string, source: string, value: string): string {
    return `DELETE FROM ${this.table(table)} WHERE ${column} IN (SELECT ${value} FROM ${source})`;
  }

  /** Deletes the tokens that a change of the records `given` has just written. */
  deleteChanged(given: string, id: string, change: string): string {
    const listed = (value: string) => `(SELECT ${value} FROM ${given} given)`;
    return `DELETE FROM ${this.table('tokens')} WHERE id IN ${listed(id)} AND last_change IN ${listed(change)}`;
  }

  /** The statements that write an entry where there is none, or one that has ended. The last one decides. */
  beginEntry(): readonly string[] {
    return [
      `INSERT INTO ${this.table('entries')} AS there (kind, id, value, expires_at, version)
        VALUES (:kind, :id, :value, #expiresAt, #version)
        ON CONFLICT (kind, id) DO UPDATE SET
          value = excluded.value, expires_at = excluded.expires_at, version = excluded.version
        WHERE there.expires_at <= #now`,
    ];
  }

  /** The statements that trim the audit log; the one at `counts` returns the number. */
  abstract trimChanges(): { readonly statements: readonly string[]; readonly counts: number };
  /**
   * The statements that add a change to the audit log.
   *
   * @param written the source of the row that was changed: without it, nothing is added
   * @param isTold whether other processes are told
   */
  abstract record(written: string, isTold: boolean): readonly string[];
  /** The number of the last change that was told; `null`: this database has notifications instead. */
  abstract readonly latest: string | null;

  /** A table as this database has it. */
  abstract shapeOf(table: Table): Shape;
  /** The statements that make a table. */
  abstract create(table: Table): readonly string[];
  /** The statement that lists what is there, as rows of {@link Part}. */
  abstract catalog(): SqlStatement;
  /** The parts of a table that the list must have. */
  abstract partsOf(shape: Shape): readonly Part[];
  /** The parts that {@link finish} makes. */
  abstract finishedParts(): readonly Part[];
  /** The statements that make the rest: the audit log's guards. */
  abstract finish(): readonly string[];
  /** The statements that begin a schema; the table of versions is one of them. */
  abstract found(isThere: boolean): readonly string[];
  /** The statement that notes a version. */
  mark(version: number): string {
    return `INSERT INTO ${this.table(this.versions.name)} (version) VALUES (${version})`;
  }

  /** Finds what is there: `isOurs`, `isThere` and a reason to refuse the database, `refusal`. */
  abstract inspect(): SqlStatement;
  /** The statements of a migration, with a lock where concurrent ones could harm each other. */
  abstract locked(statements: readonly SqlStatement[]): readonly SqlStatement[];

  /** Another row has this key. The whole batch was undone. */
  abstract isTaken(error: unknown): boolean;
  /** A lost race inside the database. Nothing was done, so it may be tried again. */
  abstract isTransient(error: unknown): boolean;
  /** The tables are gone. */
  abstract isMissingTable(error: unknown): boolean;
  /** Another application uses a name. */
  abstract isNameTaken(error: unknown): boolean;

  statement(sql: string, values: Values, flags: Omit<SqlStatement, 'sql' | 'parameters'> = {}): SqlStatement {
    const compiled = this.#compile(sql);
    const parameters = compiled.names.map((name) => {
      const value = values[name];
      if (value === undefined) throw new TypeError(`${name} is missing`);
      return value;
    });
    return { sql: compiled.sql, parameters, ...flags };
  }

  #compile(sql: string): Compiled {
    const known = this.#compiled.get(sql);
    if (known !== undefined) return known;
    const names: string[] = [];
    const text = sql.replace(/(?<![:\w])([:#])([a-z]\w*)/gi, (_, sign: string, name: string) => {
      const before = this.isNumbered ? names.indexOf(name) : -1;
      const index = before < 0 ? names.push(name) : before + 1;
      return this.placeholder(index, sign === ':' ? 'text' : 'integer');
    });
    const compiled = { sql: text, names };
    this.#compiled.set(sql, compiled);
    return compiled;
  }
}

export function assignments(updates: Readonly<Record<string, string>>): string {
  return Object.entries(updates)
    .map(([column, value]) => `${column} = ${value}`)
    .join(', ');
}

/** An error, and the errors that it wraps: query builders wrap those of their drivers. */
export function* causesOf(error: unknown): Generator<Readonly<Record<string, unknown>>> {
  let cause = error;
  for (let depth = 0; depth < 5 && typeof cause === 'object' && cause !== null; depth++) {
    yield cause as Record<string, unknown>;
    cause = (cause as { cause?: unknown }).cause;
  }
}
