import { causesOf, Dialect, kindOf, type RecordColumns, type Some, type Table } from '../dialect.js';
import type { SqlStatement } from '../driver.js';
import { CHANGE_FIELDS, CHANGE_PARAMETERS } from '../rows.js';

const TYPES = {
  sequence: 'INTEGER PRIMARY KEY AUTOINCREMENT',
  serial: 'INTEGER PRIMARY KEY',
  integer: 'INTEGER',
} as const;

/** SQLite: in a file, libSQL's server, D1, Durable Objects. */
export class Sqlite extends Dialect {
  readonly name = 'sqlite';
  /** The highest row's number would go down when that row is trimmed. */
  readonly latest: string;
  readonly #prefix: string;

  /** @param prefix of all names: a database of its own needs none */
  constructor(prefix: string) {
    super();
    this.#prefix = prefix;
    this.latest = `coalesce((SELECT seq FROM sqlite_sequence WHERE name = '${prefix}changes'), 0)`;
  }

  table(name: string): string {
    return this.#prefix + name;
  }

  protected placeholder(): string {
    return '?';
  }

  /**
   * An owner has few tokens and an ownership many, but SQLite can't know that. The plus excludes the index by ownership
   * (sqlite.org/optoverview.html, "Disqualifying WHERE clause terms").
   */
  isOwnership(column: string, parameter: string, isAlone: boolean): string {
    return `${isAlone ? '' : '+'}${column} = ${parameter}`;
  }

  holds(column: string, parameter: string): string {
    return `instr(${column}, ${parameter}) > 0`;
  }

  /** SQLite's lower() changes ASCII letters only. */
  holdsInAnyCase(column: string, parameter: string): string {
    return `instr(lower(${column}), lower(${parameter})) > 0`;
  }

  records(parameter: string, columns: RecordColumns): string {
    const read = Object.keys(columns).map((name) => `json_extract(value, '$.${name}') AS ${name}`);
    return `(SELECT ${read.join(', ')} FROM json_each(${parameter}))`;
  }

  deleteSome({ table, key, where, order, limit }: Some): string {
    const ordered = order === undefined ? '' : ` ORDER BY ${order}`;
    return `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE ${where}${ordered} LIMIT ${limit})`;
  }

  trimChanges() {
    const trimming = this.table('trimming');
    const changes = {
      table: this.table('changes'),
      key: 'seq',
      where: 'at < #before',
      order: 'at, id',
      limit: '#limit',
    };
    const statements = [
      `INSERT INTO ${trimming} (before) VALUES (#before)`,
      this.deleteSome(changes),
      `DELETE FROM ${trimming}`,
    ];
    return { statements, counts: 1 };
  }

  record(written: string, isTold: boolean): readonly string[] {
    return [
      `INSERT INTO ${this.table('changes')} (${CHANGE_FIELDS}, told)
        SELECT ${CHANGE_PARAMETERS}, ${isTold ? ':told' : 'NULL'} FROM ${written}`,
    ];
  }

  create({ name, columns, key, indexes = [], isWide = false }: Table): readonly string[] {
    const kinds = Object.values(columns).map((column) => kindOf(column).kind);
    const hasRow = kinds.some((kind) => kind === 'serial' || kind === 'sequence');
    const lines = Object.entries(columns).map(([column, text]) => {
      const { kind, isOptional } = kindOf(text);
      if (kind === 'token')
        return `${column} INTEGER NOT NULL REFERENCES ${this.table('tokens')} (seq) ON DELETE CASCADE`;
      const type = kind in TYPES ? TYPES[kind as keyof typeof TYPES] : 'TEXT';
      return `${column} ${type}${isOptional || /PRIMARY/.test(type) ? '' : ' NOT NULL'}`;
    });
    lines.push(`${hasRow ? 'UNIQUE' : 'PRIMARY KEY'} (${key.join(', ')})`);
    const options = hasRow || isWide ? 'STRICT' : 'STRICT, WITHOUT ROWID';
    return [
      `CREATE TABLE ${this.table(name)} (\n  ${lines.join(',\n  ')}\n) ${options}`,
      ...indexes.map(({ name: index, columns: of, isUnique, where }) => {
        const only = where === undefined ? '' : ` WHERE ${where} IS NOT NULL`;
        return `CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX ${this.table(index)} ON ${this.table(name)} (${of.join(', ')})${only}`;
      }),
    ];
  }

  /** `trimming` has a row only inside the transaction that trims the audit log. Changes before its time may be deleted. */
  finish(): readonly string[] {
    const [changes, trimming] = [this.table('changes'), this.table('trimming')];
    return [
      `CREATE TABLE ${trimming} (before INTEGER NOT NULL) STRICT`,
      `CREATE TRIGGER ${this.table('changes_are_kept')} BEFORE UPDATE ON ${changes}
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
      `CREATE TRIGGER ${this.table('changes_are_never_deleted')} BEFORE DELETE ON ${changes}
WHEN NOT EXISTS (SELECT 1 FROM ${trimming} WHERE OLD.at < before)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
    ];
  }

  found(): readonly string[] {
    return [`CREATE TABLE ${this.table('migrations')} (version INTEGER NOT NULL PRIMARY KEY) STRICT`];
  }

  /** A batch is the only writer anyway. */
  locked(statements: readonly SqlStatement[]): readonly SqlStatement[] {
    return statements;
  }

  inspect(): SqlStatement {
    return this.statement(
      `SELECT 1 AS "isThere", NULL AS refusal, EXISTS (SELECT 1 FROM sqlite_master WHERE name = :name) AS "isOurs"`,
      { name: this.table('migrations') },
    );
  }

  /** SQLite's own message: every driver passes it on, and it holds names only. A change's id that is taken is the caller's fault. */
  isTaken(error: unknown): boolean {
    return this.#says(error, /UNIQUE constraint failed: (?!\S*(?:changes|migrations)\.)/);
  }

  isTransient(error: unknown): boolean {
    return this.#says(error, /database (?:table )?is locked|SQLITE_BUSY/);
  }

  isMissingTable(error: unknown): boolean {
    return this.#says(error, /no such table/);
  }

  isNameTaken(error: unknown): boolean {
    return this.#says(error, /already exists|there is already/);
  }

  #says(error: unknown, pattern: RegExp): boolean {
    for (const { message } of causesOf(error)) if (typeof message === 'string' && pattern.test(message)) return true;
    return false;
  }
}
