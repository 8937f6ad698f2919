import { SQLITE_CATALOG, sqliteParts } from '../catalogs/sqlite.js';
import { causesOf, Dialect, type RecordColumns, type Some } from '../dialect.js';
import type { SqlStatement } from '../driver.js';
import { CHANGE_FIELDS, CHANGE_PARAMETERS } from '../rows.js';
import { columnsOf, lineOf, type Part, type Shape, type Table } from '../shape.js';

const INTEGERS: readonly string[] = ['sequence', 'serial', 'token', 'integer'];

/** SQLite: in a file, libSQL's server, D1, Durable Objects. */
export class Sqlite extends Dialect {
  readonly name = 'sqlite';
  /** The highest row's number would go down when that row is trimmed. */
  readonly latest: string;
  /** It has a row only inside the transaction that trims the audit log. Changes before its time may be deleted. */
  override readonly own: readonly Table[] = [{ name: 'trimming', columns: { before: 'integer' }, key: ['before'] }];

  /** @param prefix of all names, checked */
  constructor(prefix: string) {
    super(prefix);
    this.latest = `coalesce((SELECT seq FROM sqlite_sequence WHERE name = '${this.named('changes')}'), 0)`;
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

  /** The number of a row is the primary key itself, so its table has no other. */
  shapeOf(table: Table): Shape {
    const { name, key, indexes = [] } = table;
    const columns = columnsOf(table).map((column) => {
      return { ...column, type: INTEGERS.includes(column.kind) ? 'INTEGER' : 'TEXT' };
    });
    const own = this.named(name);
    const number = columns.find(({ kind }) => kind === 'serial' || kind === 'sequence');
    const keys = [...(number ? [[number.name]] : []), key].map((of) => ({ name: '', isUnique: true, columns: of }));
    const shapes = indexes.map(({ name: index, columns: of, isUnique = false, where }) => {
      return { name: this.named(index), isUnique, columns: of, where: where && `${where} IS NOT NULL` };
    });
    return { name: own, columns, keys, indexes: shapes };
  }

  create(table: Table): readonly string[] {
    const { name, columns, keys, indexes } = this.shapeOf(table);
    const lines = columns.map((column) => {
      if (column.kind === 'serial') return `${column.name} INTEGER PRIMARY KEY`;
      if (column.kind === 'sequence') return `${column.name} INTEGER PRIMARY KEY AUTOINCREMENT`;
      const parent = column.kind === 'token' ? ` REFERENCES ${this.table('tokens')} (seq) ON DELETE CASCADE` : '';
      return lineOf(column) + parent;
    });
    lines.push(`${keys.length > 1 ? 'UNIQUE' : 'PRIMARY KEY'} (${table.key.join(', ')})`);
    const options = keys.length > 1 || table.isWide ? 'STRICT' : 'STRICT, WITHOUT ROWID';
    return [
      `CREATE TABLE ${name} (\n  ${lines.join(',\n  ')}\n) ${options}`,
      ...indexes.map((index) => {
        const only = index.where === undefined ? '' : ` WHERE ${index.where}`;
        const how = index.isUnique ? 'UNIQUE ' : '';
        return `CREATE ${how}INDEX ${index.name} ON ${name} (${index.columns.join(', ')})${only}`;
      }),
    ];
  }

  catalog(): SqlStatement {
    return this.statement(SQLITE_CATALOG, {});
  }

  partsOf(shape: Shape): readonly Part[] {
    return sqliteParts(shape, this.named('tokens'));
  }

  finishedParts(): readonly Part[] {
    return ['changes_are_kept', 'changes_are_never_deleted'].map((name) => {
      return { of: this.named('changes'), part: `trigger ${this.named(name)}`, form: 'enabled' };
    });
  }

  finish(): readonly string[] {
    const [changes, trimming] = [this.table('changes'), this.table('trimming')];
    return [
      `CREATE TRIGGER ${this.table('changes_are_kept')} BEFORE UPDATE ON ${changes}
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
      `CREATE TRIGGER ${this.table('changes_are_never_deleted')} BEFORE DELETE ON ${changes}
WHEN NOT EXISTS (SELECT 1 FROM ${trimming} WHERE OLD.at < before)
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END`,
    ];
  }

  found(): readonly string[] {
    return this.create(this.versions);
  }

  /** A batch is the only writer anyway. */
  locked(statements: readonly SqlStatement[]): readonly SqlStatement[] {
    return statements;
  }

  inspect(): SqlStatement {
    return this.statement(
      `SELECT 1 AS "isThere", NULL AS refusal, EXISTS (SELECT 1 FROM sqlite_master WHERE name = :name) AS "isOurs"`,
      { name: this.table(this.versions.name) },
    );
  }

  /** SQLite's own message: every driver passes it on, and it holds names only. A change's id that is taken is the caller's fault. */
  isTaken(error: unknown): boolean {
    return this.#says(error, /UNIQUE constraint failed: (?!\S*(?:changes|migrations)\.)/);
  }

  /** Or the application has a transaction open on this connection. */
  isTransient(error: unknown): boolean {
    return this.#says(error, /database (?:table )?is locked|SQLITE_BUSY|within a transaction/);
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
