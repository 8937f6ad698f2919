import type { DialectName, SqlDriver, SqlRow, SqlStatement, SqlValue } from '../driver.js';
import { anyResult, fromKnex, fromKysely, type Knex, type Kysely } from './builders.js';
import { fromPostgresJs, type PostgresJs } from './postgres.js';

/** Runs one statement in a transaction, and returns its rows. */
export type RunStatement = (statement: SqlStatement) => Promise<readonly SqlRow[]>;

type Method = (...given: unknown[]) => unknown;

/**
 * The way into a transaction that an application has begun, through the client that it has in hand. Each client is known by its
 * methods. A client that begins transactions of its own is refused, also after a `BEGIN` by hand: the store may read through the same
 * connection, and would remember what is rolled back later.
 *
 * @returns `null`: it is no transaction of this database
 */
export function intoTransaction(transaction: object, dialect: DialectName): RunStatement | null {
  const tx = transaction as Readonly<Record<string, Method>>;
  const has = (...names: readonly string[]) => names.every((name) => typeof tx[name] === 'function');
  const { isTransaction } = transaction as { isTransaction?: unknown };
  const rowsOf = async (answer: unknown) => anyResult(await answer).rows;

  if (has('query', 'batch') && (tx as { dialect?: unknown }).dialect !== undefined) {
    const driver = transaction as SqlDriver;
    if (driver.dialect !== dialect) return null;
    return driver.client ? intoTransaction(driver.client, dialect) : (statement) => driver.query(statement);
  }
  // Kysely
  if (has('executeQuery')) return isTransaction === false ? null : fromKysely(transaction as Kysely, dialect).query;
  // Prisma
  if (has('$queryRawUnsafe')) {
    if (has('$connect')) return null;
    return async ({ sql, parameters }) => rowsOf(tx.$queryRawUnsafe?.(sql, ...parameters));
  }
  // Knex is a function.
  if (typeof transaction === 'function' && has('raw')) {
    return isTransaction === true ? fromKnex(transaction as unknown as Knex, dialect).query : null;
  }
  // Drizzle. SQLite's has a method for statements without rows.
  if (has('select', 'insert')) {
    if (!has('rollback')) return null;
    return async (statement) => {
      const { sql, parameters } = statement;
      const query = { getSQL: () => ({ toQuery: () => ({ sql, params: parameters }) }) };
      if (dialect !== 'sqlite') return rowsOf(tx.execute?.(query));
      return rowsOf(returnsRows(statement) ? tx.all?.(query) : tx.run?.(query));
    };
  }
  if (dialect === 'postgres') {
    if (has('unsafe')) return has('begin') ? null : fromPostgresJs(transaction as PostgresJs).query;
    // `pg`, and no pool of it; of PGlite the transaction, which has no other
    return has('query') && !has('transaction') && !('totalCount' in transaction)
      ? async ({ sql, parameters }) => rowsOf(tx.query?.(sql, [...parameters]))
      : null;
  }
  if (dialect === 'mysql') {
    const isConnection = has('query', 'execute') && !has('getConnection');
    return isConnection ? onMysql(transaction as MysqlTransaction) : null;
  }
  // `node:sqlite`, `better-sqlite3`, `libsql`
  if (has('prepare', 'exec')) return onSqlite(transaction as SqliteTransaction);
  // `@libsql/client`
  return has('execute', 'commit')
    ? async ({ sql, parameters }) => rowsOf(tx.execute?.({ sql, args: parameters }))
    : null;
}

interface MysqlTransaction {
  query(query: object): Promise<unknown>;
  execute(query: object, values: (string | null)[]): Promise<unknown>;
  /** Of a connection with callbacks. */
  promise?(): MysqlTransaction;
}

/** `mysql2`, `mariadb`. Prepared, so that no text is quoted by a client; what has no parameter can't always be prepared. */
function onMysql(given: MysqlTransaction): RunStatement {
  const connection = given.promise?.() ?? given;
  return async ({ sql, parameters }) => {
    const query = { sql, rowsAsArray: false, namedPlaceholders: false };
    if (parameters.length === 0) return anyResult(await connection.query(query)).rows;
    // As a text, an integer is read exactly.
    const values = parameters.map((value) => (value === null ? null : String(value)));
    return anyResult(await connection.execute(query, values)).rows;
  };
}

interface SqliteTransaction {
  prepare(sql: string): {
    /** `false`: it returns no rows, and `all` is refused. */
    readonly reader?: boolean;
    all(...parameters: readonly SqlValue[]): unknown[];
    run(...parameters: readonly SqlValue[]): unknown;
  };
}

const onSqlite = (database: SqliteTransaction): RunStatement => {
  return async ({ sql, parameters }) => {
    const statement = database.prepare(sql);
    if (statement.reader !== false) return statement.all(...parameters) as SqlRow[];
    statement.run(...parameters);
    return [];
  };
};

function returnsRows({ sql }: SqlStatement): boolean {
  return /^\s*SELECT\b|\bRETURNING\b/.test(sql);
}
