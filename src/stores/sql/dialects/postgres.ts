import { POSTGRES_CATALOG, postgresParts } from '../catalogs/postgres.js';
import { causesOf, Dialect, type RecordColumns, type Some } from '../dialect.js';
import type { SqlStatement } from '../driver.js';
import { CHANGE_FIELDS, CHANGE_PARAMETERS } from '../rows.js';
import { type Column, columnsOf, type Key, lineOf, type Part, type Shape, type Table } from '../shape.js';

/** The first half of the advisory lock that migrations hold: the bytes of "pstn". The other half is the schema's. */
const LOCK = 0x7073746e;

/** COLLATE "C" is the order of pages, by code unit (ids are ASCII), and needs no locale to compare. */
const TYPES = {
  serial: 'bigint GENERATED ALWAYS AS IDENTITY',
  integer: 'bigint',
  sequence: 'bigint',
  token: 'bigint',
  key: 'text COLLATE "C"',
  name: 'text COLLATE "C"',
  text: 'text',
  time: 'timestamp with time zone DEFAULT now()',
} as const;

/** PostgreSQL 13 or later. */
export class Postgres extends Dialect {
  readonly name = 'postgres';
  override readonly place = 'schema';
  override readonly isOneStatement = true;
  override readonly everything = 'seq > 0';
  override readonly lock = 'FOR NO KEY UPDATE';
  readonly latest = null;
  protected override readonly isNumbered = true;
  /** `listeners` is logged like the rest: if a crash emptied it, confirmations would wait for nobody. */
  override readonly own: readonly Table[] = [
    { name: 'listeners', columns: { instance: 'text', live_until: 'time' }, key: ['instance'] },
  ];
  /** No other tool's table has this name. */
  override readonly versions: Table = {
    name: 'postern_migrations',
    columns: { version: 'integer', migrated_at: 'time' },
    key: ['version'],
  };
  readonly #schema: string;

  /** @param schema a checked name, like `prefix` */
  constructor(schema: string, prefix = '') {
    super(prefix);
    this.#schema = schema;
  }

  /** The channel of notifications. No other pair of names has the same: a name holds no colon. */
  get channel(): string {
    return `postern:${this.#schema}${this.prefix === '' ? '' : `:${this.prefix}`}`;
  }

  /** The schema is quoted, because a valid name may still be a keyword. */
  override table(name: string): string {
    return `"${this.#schema}".${this.named(name)}`;
  }

  override get command(): string {
    return `${super.command} --schema ${this.#schema}`;
  }

  protected placeholder(index: number, kind: 'text' | 'integer'): string {
    return `$${index}::${kind === 'text' ? 'text' : 'bigint'}`;
  }

  /** Hidden from the planner. For the more frequent ownership it would scan all tokens, and read past those of the other. */
  isOwnership(column: string, parameter: string): string {
    return `${column} = (SELECT ${parameter})`;
  }

  holds(column: string, parameter: string): string {
    return `position(${parameter} IN ${column}) > 0`;
  }

  /** lower() under "C" changes ASCII letters only. */
  holdsInAnyCase(column: string, parameter: string): string {
    return `position(lower(${parameter} COLLATE "C") IN lower(${column} COLLATE "C")) > 0`;
  }

  records(parameter: string, columns: RecordColumns): string {
    const types = Object.entries(columns).map(([name, type]) => `${name} ${type === 'text' ? 'text' : 'bigint'}`);
    return `(SELECT * FROM json_to_recordset(${parameter}::json) AS given (${types.join(', ')}))`;
  }

  /** Skips locked rows: another process is writing or removing them. */
  deleteSome({ table, where, order, limit }: Some): string {
    const ordered = order === undefined ? '' : ` ORDER BY ${order}`;
    return `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM ${table} WHERE ${where}${ordered} LIMIT ${limit} FOR UPDATE SKIP LOCKED))`;
  }

  trimChanges() {
    const trimmed = `SELECT 1 FROM generate_series(1, ${this.table('trim_changes')}(#before, #limit))`;
    return { statements: [trimmed], counts: 0 };
  }

  /** PostgreSQL sends the notification after the commit. Its type is `void`, which Prisma can't read. */
  record(written: string, isTold: boolean): readonly string[] {
    const told = isTold ? `pg_notify('${this.channel}', :told)::text` : '1';
    return [
      `INSERT INTO ${this.table('changes')} (${CHANGE_FIELDS}) SELECT ${CHANGE_PARAMETERS} FROM ${written} RETURNING 1`,
      `SELECT ${told} FROM ${written}`,
    ];
  }

  shapeOf(table: Table): Shape {
    const { name, key, indexes = [] } = table;
    const columns = columnsOf(table)
      .filter((column) => column.kind !== 'sequence' && column.name !== 'told')
      .map((column): Column => ({ ...column, type: TYPES[column.kind] }));
    const own = this.named(name);
    const serial = columns.find(({ kind }) => kind === 'serial');
    const keys = [
      { name: `${own}_pkey`, isUnique: true, columns: serial ? [serial.name] : key },
      ...(serial ? [{ name: `${own}_${key.join('_')}_key`, isUnique: true, columns: key }] : []),
    ];
    const shapes = indexes.map(({ name: index, columns: of, isUnique = false, where, isOfAll }): Key => {
      // Only a query with this condition, which is always true, uses the index of all. Otherwise PostgreSQL might read a page of
      // one organization from it, past the newer tokens of all others.
      const condition = isOfAll ? (this.everything as string) : where && `${where} IS NOT NULL`;
      return { name: this.named(index), isUnique, columns: of, where: condition };
    });
    return { name: own, columns, keys, indexes: shapes };
  }

  create(table: Table): readonly string[] {
    const { columns, keys, indexes } = this.shapeOf(table);
    const lines = [
      ...columns.map((column) => {
        const parent = column.kind === 'token' ? ` REFERENCES ${this.table('tokens')} (seq) ON DELETE CASCADE` : '';
        return lineOf(column) + parent;
      }),
      ...keys.map((key, index) => `${index === 0 ? 'PRIMARY KEY' : 'UNIQUE'} (${key.columns.join(', ')})`),
    ];
    const options = table.fill === undefined ? '' : ` WITH (fillfactor = ${table.fill})`;
    const name = this.table(table.name);
    return [
      `CREATE TABLE ${name} (\n  ${lines.join(',\n  ')}\n)${options}`,
      ...indexes.map((index) => {
        const only = index.where === undefined ? '' : ` WHERE ${index.where}`;
        const how = index.isUnique ? 'UNIQUE ' : '';
        return `CREATE ${how}INDEX ${index.name} ON ${name} (${index.columns.join(', ')})${only}`;
      }),
    ];
  }

  catalog(): SqlStatement {
    return this.statement(POSTGRES_CATALOG, { schema: this.#schema });
  }

  partsOf(shape: Shape): readonly Part[] {
    return postgresParts(shape, this.named('tokens'));
  }

  finishedParts(): readonly Part[] {
    const of = this.named('changes');
    return [
      { of, part: 'trigger changes_are_kept', form: 'enabled' },
      ...['refuse_change', 'trim_changes'].map((name) => ({ of: '', part: `function ${this.named(name)}`, form: '' })),
    ];
  }

  finish(): readonly string[] {
    const [changes, refuse] = [this.table('changes'), this.table('refuse_change')];
    return [
      `CREATE FUNCTION ${refuse}() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN
  IF TG_OP = 'DELETE' AND current_setting('postern.trimming', true) = 'on' THEN RETURN NULL; END IF;
  RAISE EXCEPTION 'the audit log is append-only';
END $$`,
      `CREATE TRIGGER changes_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON ${changes}
FOR EACH STATEMENT EXECUTE FUNCTION ${refuse}()`,
      `CREATE FUNCTION ${this.table('trim_changes')}(before_time bigint, most bigint) RETURNS bigint LANGUAGE plpgsql AS
$$ DECLARE trimmed bigint; BEGIN
  PERFORM set_config('postern.trimming', 'on', true);
  DELETE FROM ${changes} WHERE id = ANY (ARRAY(
    SELECT id FROM ${changes} WHERE at < before_time ORDER BY at, id LIMIT most));
  GET DIAGNOSTICS trimmed = ROW_COUNT;
  PERFORM set_config('postern.trimming', 'off', true);
  RETURN trimmed;
END $$`,
    ];
  }

  found(isThere: boolean): readonly string[] {
    return [
      // Not IF NOT EXISTS: that needs the right to make schemas even if the schema exists.
      ...(isThere ? [] : [`CREATE SCHEMA "${this.#schema}"`]),
      ...this.create(this.versions),
    ];
  }

  locked(statements: readonly SqlStatement[]): readonly SqlStatement[] {
    const lock = `SELECT pg_advisory_xact_lock(${LOCK}, hashtext(:schema))`;
    return [this.statement(lock, { schema: this.#schema }), ...statements];
  }

  /** Asks the catalog: to_regclass and the like may answer from a cache that is not renewed after waiting for the lock. */
  inspect(): SqlStatement {
    return this.statement(
      `SELECT CASE WHEN current_setting('server_encoding') <> 'UTF8' THEN 'has the encoding '
            || current_setting('server_encoding') || ', which can not hold every name: give postern a database in UTF8' END AS refusal,
          EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = :schema) AS "isThere",
          EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = :schema AND c.relname = :versions) AS "isOurs"`,
      { schema: this.#schema, versions: this.named(this.versions.name) },
    );
  }

  /** Two changes with one id are the caller's fault, so the error is not an answer. */
  isTaken(error: unknown): boolean {
    for (const cause of causesOf(error)) {
      const constraint = cause.constraint ?? cause.constraint_name;
      const others = [`${this.named('changes')}_pkey`, `${this.named(this.versions.name)}_pkey`];
      if (cause.code === '23505') return !others.includes(constraint as string);
    }
    return false;
  }

  /** Serialization failure or deadlock. */
  isTransient(error: unknown): boolean {
    return hasState(error, ['40001', '40P01']);
  }

  isMissingTable(error: unknown): boolean {
    return hasState(error, ['42P01', '3F000']);
  }

  isNameTaken(error: unknown): boolean {
    return hasState(error, ['42P07', '42710', '42723', '42P06']);
  }
}

/** PostgreSQL's error codes of five characters (its manual, appendix A). */
function hasState(error: unknown, states: readonly string[]): boolean {
  for (const { code } of causesOf(error)) if (states.includes(code as string)) return true;
  return false;
}
