import { MYSQL_CATALOG, mysqlParts } from '../catalogs/mysql.js';
import { type Addition, assignments, causesOf, Dialect, type RecordColumns, type Some } from '../dialect.js';
import type { SqlStatement } from '../driver.js';
import { CHANGE_FIELDS, CHANGE_PARAMETERS } from '../rows.js';
import { type Column, columnsOf, lineOf, type Part, type Shape, type Table } from '../shape.js';

/** The longest text that is a key itself, in characters. */
const KEY_LENGTH = 255;

/** Compares code points, and spaces at the end too. Each of the two databases reads the name that it knows. */
const COLLATION = 'CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */';

const TEXT = `LONGTEXT ${COLLATION}`;

const TYPES = {
  serial: 'BIGINT',
  sequence: 'BIGINT',
  token: 'BIGINT',
  integer: 'BIGINT',
  key: `VARCHAR(${KEY_LENGTH}) ${COLLATION}`,
  name: TEXT,
  text: TEXT,
  time: 'DATETIME',
} as const;

/**
 * MariaDB 10.6 or later, MySQL 8.0.29 or later.
 *
 * An index holds 3,072 bytes at most, so a long text is compared and indexed by its SHA-256, in a column that the database keeps.
 */
export class Mysql extends Dialect {
  readonly name = 'mysql';
  override readonly undoesSchema = false;
  override readonly lock = 'FOR UPDATE';
  override readonly dependsOnConnection = true;
  override readonly returnsRows = false;
  override readonly unlessTaken = '';
  override readonly fromNothing = 'FROM DUAL';
  readonly latest: string;
  /** The counter of the changes that are told. */
  override readonly own: readonly Table[] = [
    { name: 'feed', columns: { one: 'integer', seq: 'integer' }, key: ['one'] },
  ];

  /** @param prefix of all names, checked */
  constructor(prefix: string) {
    super(prefix);
    this.latest = `(SELECT seq FROM ${this.table('feed')})`;
  }

  protected placeholder(): string {
    return '?';
  }

  override is(column: string, parameter: string): string {
    return `${column}_key = UNHEX(SHA2(${parameter}, 256))`;
  }

  isOwnership(column: string, parameter: string): string {
    return `${column} = ${parameter}`;
  }

  /** Written out: MariaDB uses no index for a comparison of rows. */
  override compare(columns: readonly string[], operator: '<' | '>' | '>=', parameters: readonly string[]): string {
    const [column, ...columnsAfter] = columns as [string];
    const [parameter, ...parametersAfter] = parameters as [string];
    if (columnsAfter.length === 0) return `${column} ${operator} ${parameter}`;
    const strict = operator === '<' ? '<' : '>';
    const rest = this.compare(columnsAfter, operator, parametersAfter);
    return `${column} ${strict}= ${parameter} AND (${column} ${strict} ${parameter} OR (${rest}))`;
  }

  holds(column: string, parameter: string): string {
    return `INSTR(${column}, ${parameter}) > 0`;
  }

  /** Over the bytes of UTF-8, in a character set where ASCII letters alone have a case. */
  holdsInAnyCase(column: string, parameter: string): string {
    const lowered = (text: string) => `LOWER(CONVERT(CAST(${text} AS BINARY) USING tis620)) COLLATE tis620_bin`;
    return `INSTR(${lowered(column)}, ${lowered(parameter)}) > 0`;
  }

  records(parameter: string, columns: RecordColumns): string {
    const read = Object.entries(columns).map(([name, type]) => {
      const sqlType = type === 'text' ? `LONGTEXT ${COLLATION}` : 'BIGINT';
      return `${name} ${sqlType} PATH '$.${name}' ERROR ON ERROR`;
    });
    return `JSON_TABLE(${parameter}, '$[*]' COLUMNS (${read.join(', ')}))`;
  }

  deleteSome({ table, where, order, limit }: Some): string {
    return `DELETE FROM ${table} WHERE ${where}${order === undefined ? '' : ` ORDER BY ${order}`} LIMIT ${limit}`;
  }

  override add({ table, columns, select, sets }: Addition): string {
    const updates = sets(
      (column) => `${table}.${column}`,
      (column) => `VALUES(${column})`,
    );
    return `INSERT INTO ${table} (${columns.join(', ')}) ${select} ON DUPLICATE KEY UPDATE ${assignments(updates)}`;
  }

  override updateTokens(given: string, column: string, value: string, where: string): string {
    return `UPDATE ${this.table('tokens')} there JOIN ${given} given ON ${where} SET there.${column} = ${value}`;
  }

  /** A join, because MariaDB would read the whole table for a list. */
  override deleteListed(table: string, column: string, source: string, value: string): string {
    return `DELETE there FROM ${this.table(table)} there JOIN ${source} ON ${value} = there.${column}`;
  }

  override deleteChanged(given: string, id: string, change: string): string {
    return `DELETE there FROM ${this.table('tokens')} there JOIN ${given} given
      ON there.id = ${id} AND there.last_change = ${change}`;
  }

  override beginEntry(): readonly string[] {
    const entries = this.table('entries');
    return [
      `DELETE FROM ${entries} WHERE kind = :kind AND id = :id AND expires_at <= #now`,
      `INSERT INTO ${entries} (kind, id, value, expires_at, version) VALUES (:kind, :id, :value, #expiresAt, #version)`,
    ];
  }

  /** The trigger lets through what is older than this variable of the session. */
  trimChanges() {
    const changes = {
      table: this.table('changes'),
      key: 'id',
      where: 'at < #before',
      order: 'at, id',
      limit: '#limit',
    };
    return {
      statements: ['SET @postern_trimming = #before', this.deleteSome(changes), 'SET @postern_trimming = NULL'],
      counts: 1,
    };
  }

  /** The counter's row makes the numbers follow the order of the commits, without a gap. */
  record(written: string, isTold: boolean): readonly string[] {
    const [changes, feed] = [this.table('changes'), this.table('feed')];
    if (!isTold) {
      return [`INSERT INTO ${changes} (${CHANGE_FIELDS}) SELECT ${CHANGE_PARAMETERS} FROM ${written}`];
    }
    return [
      `UPDATE ${feed} SET seq = seq + (SELECT count(*) FROM ${written})`,
      `INSERT INTO ${changes} (seq, ${CHANGE_FIELDS}, told)
        SELECT feed.seq + 1 - row_number() OVER (), ${CHANGE_PARAMETERS}, :told FROM ${feed} feed, ${written}`,
    ];
  }

  shapeOf(table: Table): Shape {
    const { name, key, indexes = [] } = table;
    const given = columnsOf(table);
    const indexed = new Set([...key, ...indexes.flatMap((index) => index.columns)]);
    const isHashed = (column: string) =>
      indexed.has(column) && given.some((each) => each.name === column && each.kind === 'name');
    const list = (parts: readonly string[]) => parts.map((column) => (isHashed(column) ? `${column}_key` : column));
    const columns = given.flatMap((column): Column[] => {
      const one: Column = {
        ...column,
        type: TYPES[column.kind],
        isOptional: column.isOptional || column.kind === 'sequence',
      };
      if (!isHashed(column.name)) return [one];
      return [one, { name: `${column.name}_key`, kind: 'hash', type: 'BINARY(32)', isOptional: true }];
    });
    const serial = columns.find(({ kind }) => kind === 'serial');
    const sequence = columns.find(({ kind }) => kind === 'sequence');
    // A key on a hash can't be the primary one. That of `changes` has a name of its own, for `isTaken`.
    const isPrimary = !key.some(isHashed) && !serial && !sequence;
    if (!isPrimary && !serial) columns.push({ name: 'row_id', kind: 'serial', type: TYPES.serial, isOptional: false });
    const keys = [
      { name: 'PRIMARY', isUnique: true, columns: isPrimary ? key : [serial?.name ?? 'row_id'] },
      ...(isPrimary ? [] : [{ name: `${name}_by_id`, isUnique: true, columns: list(key) }]),
      ...(sequence ? [{ name: sequence.name, isUnique: true, columns: [sequence.name] }] : []),
    ];
    const shapes = indexes.map(({ name: index, columns: of, isUnique = false }) => {
      return { name: index, isUnique, columns: list(of) };
    });
    return { name: this.named(name), columns, keys, indexes: shapes };
  }

  create(table: Table): readonly string[] {
    const { name, columns, keys, indexes } = this.shapeOf(table);
    const lines = columns.map((column) => {
      if (column.kind === 'serial') return `${lineOf(column)} AUTO_INCREMENT`;
      if (column.kind !== 'hash') return lineOf(column);
      return `${lineOf(column)} AS (UNHEX(SHA2(${column.name.replace(/_key$/, '')}, 256))) STORED`;
    });
    const [primary, ...unique] = keys;
    lines.push(`PRIMARY KEY (${primary?.columns.join(', ')})`);
    for (const key of [...unique, ...indexes])
      lines.push(`${key.isUnique ? 'UNIQUE ' : ''}KEY ${key.name} (${key.columns.join(', ')})`);
    for (const { name: column, kind } of columns) {
      if (kind === 'token')
        lines.push(`FOREIGN KEY (${column}) REFERENCES ${this.table('tokens')} (seq) ON DELETE CASCADE`);
    }
    return [`CREATE TABLE IF NOT EXISTS ${name} (\n  ${lines.join(',\n  ')}\n) ENGINE = InnoDB`];
  }

  catalog(): SqlStatement {
    return this.statement(MYSQL_CATALOG, { like: `${this.prefix}%` });
  }

  partsOf(shape: Shape): readonly Part[] {
    return mysqlParts(shape, this.named('tokens'));
  }

  finishedParts(): readonly Part[] {
    return ['changes_are_kept', 'changes_are_never_deleted'].map((name) => {
      return { of: this.named('changes'), part: `trigger ${this.named(name)}`, form: 'enabled' };
    });
  }

  finish(): readonly string[] {
    const [changes, feed] = [this.table('changes'), this.table('feed')];
    const refuse = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only'";
    return [
      `INSERT INTO ${feed} (one, seq) VALUES (1, 0) ON DUPLICATE KEY UPDATE one = 1`,
      `CREATE TRIGGER IF NOT EXISTS ${this.table('changes_are_kept')} BEFORE UPDATE ON ${changes} FOR EACH ROW ${refuse}`,
      `CREATE TRIGGER IF NOT EXISTS ${this.table('changes_are_never_deleted')} BEFORE DELETE ON ${changes} FOR EACH ROW
BEGIN IF @postern_trimming IS NULL OR OLD.at >= @postern_trimming THEN ${refuse}; END IF; END`,
    ];
  }

  found(): readonly string[] {
    return this.create(this.versions);
  }

  /** Without a lock: a change of the schema ends the transaction, and each of ours does nothing where it was made. */
  locked(statements: readonly SqlStatement[]): readonly SqlStatement[] {
    return statements;
  }

  override mark(version: number): string {
    return `${super.mark(version)} ON DUPLICATE KEY UPDATE version = VALUES(version)`;
  }

  /** Without a strict mode a long text would be cut silently, and without utf8mb4 a name would become another one. */
  inspect(): SqlStatement {
    return this.statement(
      `SELECT 1 AS "isThere", EXISTS (SELECT 1 FROM information_schema.tables
          WHERE table_schema = DATABASE() AND table_name = :name) AS "isOurs",
        CASE WHEN DATABASE() IS NULL THEN 'is none: name a database in the connection'
          WHEN @@autocommit = 0 THEN 'is read through a connection without autocommit, which would see old rows: turn it on'
          WHEN @@sql_mode NOT LIKE '%STRICT%' THEN 'has no strict sql_mode, and would cut texts silently: add STRICT_TRANS_TABLES to it'
          WHEN @@sql_mode LIKE '%NO_BACKSLASH_ESCAPES%' THEN 'has the sql_mode NO_BACKSLASH_ESCAPES, under which clients quote texts wrongly: remove it'
          WHEN @@character_set_client <> 'utf8mb4' OR @@character_set_connection <> 'utf8mb4'
            THEN 'is read through a connection that is not in utf8mb4: set the charset of the client' END AS refusal`,
      { name: this.table(this.versions.name) },
    );
  }

  /** The end of the message names the key; a value before it may hold anything. */
  isTaken(error: unknown): boolean {
    return says(error, [1062], /for key '(?:[^']*\.)?(?!changes_by_id|seq)[^'.]*'(?:\n|$)/);
  }

  isTransient(error: unknown): boolean {
    return says(error, [1213, 1020, 1452, 1467]);
  }

  isMissingTable(error: unknown): boolean {
    return says(error, [1146]);
  }

  isNameTaken(error: unknown): boolean {
    return says(error, [1050]);
  }
}

/**
 * MySQL's error numbers: 1062 duplicate key, 1213 deadlock, 1020 a changed row, 1452 a row that is gone, 1467 no next number (after a
 * deadlock over the lock of the numbers, which MariaDB does not name as one: MDEV-33593), 1146 no table.
 */
function says(error: unknown, numbers: readonly number[], pattern = /(?:)/): boolean {
  for (const cause of causesOf(error)) {
    const text = String(cause.sqlMessage ?? cause.message);
    if (numbers.includes(cause.errno as number)) return pattern.test(text);
  }
  return false;
}
