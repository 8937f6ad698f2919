import { causesOf, Dialect, kindOf, type RecordColumns, type Some, type Table } from '../dialect.js';
import type { SqlStatement } from '../driver.js';
import { CHANGE_FIELDS, CHANGE_PARAMETERS } from '../rows.js';

/** The table of versions. No other tool's table has this name. */
const VERSIONS = 'postern_migrations';
/** The first half of the advisory lock that migrations hold: the bytes of "pstn". The other half is the schema's. */
const LOCK = 0x7073746e;

/** COLLATE "C" is the order of pages, by code unit (ids are ASCII), and needs no locale to compare. */
const TYPES = {
  serial: 'bigint GENERATED ALWAYS AS IDENTITY',
  integer: 'bigint',
  key: 'text COLLATE "C"',
  name: 'text COLLATE "C"',
  text: 'text',
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
  readonly #schema: string;

  /** @param schema a checked name */
  constructor(schema: string) {
    super();
    this.#schema = schema;
  }

  /** The channel of notifications. */
  get channel(): string {
    return `postern:${this.#schema}`;
  }

  /** The schema is quoted, because a valid name may still be a keyword. */
  table(name: string): string {
    return `"${this.#schema}".${name === 'migrations' ? VERSIONS : name}`;
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
      `SELECT ${told} FROM recorded`,
    ];
  }

  create({ name, columns, key, indexes = [], fill }: Table): readonly string[] {
    const table = this.table(name);
    const hasSerial = Object.values(columns).includes('serial');
    const lines = Object.entries(columns).flatMap(([column, text]) => {
      const { kind, isOptional } = kindOf(text);
      if (kind === 'sequence' || column === 'told') return [];
      if (kind === 'token')
        return [`${column} bigint NOT NULL REFERENCES ${this.table('tokens')} (seq) ON DELETE CASCADE`];
      return [`${column} ${TYPES[kind]}${kind === 'serial' ? ' PRIMARY KEY' : isOptional ? '' : ' NOT NULL'}`];
    });
    lines.push(`${hasSerial ? 'UNIQUE' : 'PRIMARY KEY'} (${key.join(', ')})`);
    const options = fill === undefined ? '' : ` WITH (fillfactor = ${fill})`;
    return [
      `CREATE TABLE ${table} (\n  ${lines.join(',\n  ')}\n)${options}`,
      ...indexes.map(({ name: index, columns: of, isUnique, where, isOfAll }) => {
        // Only a query with this condition, which is always true, uses the index of all. Otherwise PostgreSQL might read a page of
        // one organization from it, past the newer tokens of all others.
        const condition = isOfAll ? this.everything : where && `${where} IS NOT NULL`;
        const only = condition === undefined ? '' : ` WHERE ${condition}`;
        return `CREATE ${isUnique ? 'UNIQUE ' : ''}INDEX ${index} ON ${table} (${of.join(', ')})${only}`;
      }),
    ];
  }

  /** `listeners` is logged like the rest: if a crash emptied it, confirmations would wait for nobody. */
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
      `CREATE TABLE ${this.table('listeners')} (instance text PRIMARY KEY, live_until timestamptz NOT NULL)`,
    ];
  }

  found(isThere: boolean): readonly string[] {
    return [
      // Not IF NOT EXISTS: that needs the right to make schemas even if the schema exists.
      ...(isThere ? [] : [`CREATE SCHEMA "${this.#schema}"`]),
      `CREATE TABLE ${this.table('migrations')} (version integer PRIMARY KEY, migrated_at timestamptz NOT NULL DEFAULT now())`,
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
      { schema: this.#schema, versions: VERSIONS },
    );
  }

  /** Two changes with one id are the caller's fault, so the error is not an answer. */
  isTaken(error: unknown): boolean {
    for (const cause of causesOf(error)) {
      const constraint = cause.constraint ?? cause.constraint_name;
      if (cause.code === '23505') return constraint !== 'changes_pkey' && constraint !== `${VERSIONS}_pkey`;
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
