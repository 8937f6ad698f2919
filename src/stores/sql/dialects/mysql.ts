import {
  type Addition,
  assignments,
  causesOf,
  Dialect,
  kindOf,
  type RecordColumns,
  type Some,
  type Table,
} from '../dialect.js';
import type { SqlStatement } from '../driver.js';
import { CHANGE_FIELDS, CHANGE_PARAMETERS } from '../rows.js';

/** The longest text that is a key itself, in characters. */
const KEY_LENGTH = 255;

/** Compares code points, and spaces at the end too. Each of the two databases reads the name that it knows. */
const COLLATION = 'CHARACTER SET utf8mb4 COLLATE /*M!100600 utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */';

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
  readonly latest: string;
  readonly #prefix: string;

  /** @param prefix of all names */
  constructor(prefix: string) {
    super();
    this.#prefix = prefix;
    this.latest = `(SELECT seq FROM ${this.table('feed')})`;
  }

  table(name: string): string {
    return this.#prefix + name;
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

  override moveForward(batch: string): string {
    return `UPDATE ${this.table('tokens')} there JOIN ${batch} given ON given.id = there.id
      SET there.last_used_at = given.used_at WHERE there.last_used_at IS NULL OR there.last_used_at < given.used_at`;
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
      `UPDATE ${feed} SET seq = seq + 1 WHERE EXISTS (SELECT 1 FROM ${written})`,
      `INSERT INTO ${changes} (seq, ${CHANGE_FIELDS}, told)
        SELECT feed.seq, ${CHANGE_PARAMETERS}, :told FROM ${feed} feed, ${written}`,
    ];
  }

  create({ name, columns, key, indexes = [] }: Table): readonly string[] {
    const kinds = Object.fromEntries(Object.entries(columns).map(([column, text]) => [column, kindOf(text)]));
    const indexed = new Set([...key, ...indexes.flatMap((index) => index.columns)].map(columnOf));
    const isHashed = (column: string) => kinds[column]?.kind === 'name' && indexed.has(column);
    const keyOf = (part: string) =>
      isHashed(columnOf(part)) ? part.replace(columnOf(part), (found) => `${found}_key`) : part;
    const list = (parts: readonly string[]) => parts.map(keyOf).join(', ');
    const lines = Object.entries(kinds).flatMap(([column, { kind, isOptional }]) => {
      const nullable = isOptional ? 'NULL' : 'NOT NULL';
      if (kind === 'serial') return [`${column} BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY`];
      if (kind === 'sequence') return [`${column} BIGINT NULL UNIQUE`];
      if (kind === 'integer' || kind === 'token') return [`${column} BIGINT ${nullable}`];
      if (kind === 'key') return [`${column} VARCHAR(${KEY_LENGTH}) ${COLLATION} ${nullable}`];
      const text = `${column} LONGTEXT ${COLLATION} ${nullable}`;
      return isHashed(column) ? [text, `${column}_key BINARY(32) AS (UNHEX(SHA2(${column}, 256))) STORED`] : [text];
    });
    // A key on a hash can't be the primary one. That of `changes` has a name of its own, for `isTaken`.
    const isPrimary = !key.some(isHashed) && !('seq' in columns);
    if (!isPrimary && kinds.seq?.kind !== 'serial') lines.push('row_id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY');
    lines.push(`${isPrimary ? 'PRIMARY KEY' : `UNIQUE KEY ${name}_by_id`} (${list(key)})`);
    for (const index of indexes)
      lines.push(`${index.isUnique ? 'UNIQUE ' : ''}KEY ${index.name} (${list(index.columns)})`);
    for (const [column, { kind }] of Object.entries(kinds)) {
      if (kind === 'token')
        lines.push(`FOREIGN KEY (${column}) REFERENCES ${this.table('tokens')} (seq) ON DELETE CASCADE`);
    }
    return [`CREATE TABLE IF NOT EXISTS ${this.table(name)} (\n  ${lines.join(',\n  ')}\n) ENGINE = InnoDB`];
  }

  finish(): readonly string[] {
    const [changes, feed] = [this.table('changes'), this.table('feed')];
    const refuse = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'the audit log is append-only'";
    return [
      `CREATE TABLE IF NOT EXISTS ${feed} (one TINYINT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL) ENGINE = InnoDB`,
      `INSERT INTO ${feed} (one, seq) VALUES (1, 0) ON DUPLICATE KEY UPDATE one = 1`,
      `CREATE TRIGGER IF NOT EXISTS ${this.table('changes_are_kept')} BEFORE UPDATE ON ${changes} FOR EACH ROW ${refuse}`,
      `CREATE TRIGGER IF NOT EXISTS ${this.table('changes_are_never_deleted')} BEFORE DELETE ON ${changes} FOR EACH ROW
BEGIN IF @postern_trimming IS NULL OR OLD.at >= @postern_trimming THEN ${refuse}; END IF; END`,
    ];
  }

  found(): readonly string[] {
    return [
      `CREATE TABLE IF NOT EXISTS ${this.table('migrations')} (version INTEGER NOT NULL PRIMARY KEY) ENGINE = InnoDB`,
    ];
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
      { name: this.table('migrations') },
    );
  }

  /** The end of the message names the key; a value before it may hold anything. */
  isTaken(error: unknown): boolean {
    return says(error, [1062], /for key '(?:[^']*\.)?(?!changes_by_id|seq)[^'.]*'(?:\n|$)/);
  }

  isTransient(error: unknown): boolean {
    return says(error, [1213, 1020, 1452]);
  }

  isMissingTable(error: unknown): boolean {
    return says(error, [1146]);
  }

  isNameTaken(error: unknown): boolean {
    return says(error, [1050]);
  }
}

/** The column in `created_at DESC`. */
function columnOf(part: string): string {
  return part.split(' ')[0] as string;
}

/** MySQL's error numbers: 1062 duplicate key, 1213 deadlock, 1020 a changed row, 1452 a row that is gone, 1146 no table. */
function says(error: unknown, numbers: readonly number[], pattern = /(?:)/): boolean {
  for (const cause of causesOf(error)) {
    const text = String(cause.sqlMessage ?? cause.message);
    if (numbers.includes(cause.errno as number)) return pattern.test(text);
  }
  return false;
}
