import { setTimeout as sleep } from 'node:timers/promises';
import { elapsed, within } from '../shared/deadline.js';
import { causesOf, type Dialect } from '../sql/dialect.js';
import type { SqlDriver, SqlRow, SqlStatement } from '../sql/driver.js';
import { type MysqlConnection, type MysqlPool, resultOf, valuesOf } from './client.js';

/** How often a batch is tried that lost a race inside the database. */
const ATTEMPTS = 10;
/** Changing a large table may take long. Milliseconds. */
const MIGRATION_LIMIT = 600_000;

/** Runs statements through a pool, with a deadline. */
export class Database implements SqlDriver {
  readonly dialect = 'mysql';
  readonly #pool: MysqlPool;
  readonly #sql: Dialect;
  readonly #timeout: number;
  /** Connections that a statement was run on before. */
  readonly #known = new WeakSet<MysqlConnection>();
  /** The last call that waits for a connection. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(pool: MysqlPool, dialect: Dialect, timeout: number) {
    this.#pool = pool;
    this.#sql = dialect;
    this.#timeout = timeout;
  }

  async query(statement: SqlStatement): Promise<readonly SqlRow[]> {
    return (await this.#repeat(this.#timeout, (connection) => run(connection, statement))).rows;
  }

  batch(statements: readonly SqlStatement[]): Promise<readonly number[]> {
    const isMigration = statements.some(({ sql }) => sql.startsWith('CREATE'));
    return this.#repeat(isMigration ? MIGRATION_LIMIT : this.#timeout, async (connection) => {
      // At the default level, a statement that finds nothing locks the gap, and two of them block each other.
      await run(connection, plain('SET TRANSACTION ISOLATION LEVEL READ COMMITTED'));
      await run(connection, plain('START TRANSACTION'));
      try {
        const counts: number[] = [];
        for (const statement of statements) {
          const { changes } = await run(connection, statement);
          counts.push(changes);
          if (changes === 0 && statement.decides) {
            await run(connection, plain('ROLLBACK'));
            return counts;
          }
        }
        await run(connection, plain('COMMIT'));
        return counts;
      } catch (error) {
        // The connection itself may have failed. Then its end undoes the transaction.
        await run(connection, plain('ROLLBACK')).catch(() => {});
        throw error;
      }
    });
  }

  async #repeat<T>(milliseconds: number, work: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    const until = elapsed() + milliseconds;
    for (let attempt = 1; ; attempt++) {
      let isKnown = false;
      try {
        return await this.#using(until - elapsed(), (connection) => {
          isKnown = this.#known.has(connection);
          this.#known.add(connection);
          return work(connection);
        });
      } catch (error) {
        // That connection is gone. The pool may have others like it. If a new connection also refuses, the server does.
        if (isKnown && isReadOnly(error)) continue;
        if (!this.#sql.isTransient(error) || attempt === ATTEMPTS) throw error;
        await sleep(Math.random() * attempt * 5);
      }
    }
  }

  /** In the order of the calls: the pool of `mariadb` may let later ones pass for ever. */
  #connect(): Promise<MysqlConnection> {
    const mine = this.#last.then(() => this.#pool.getConnection());
    this.#last = mine.catch(() => {});
    return mine;
  }

  async #using<T>(milliseconds: number, work: (connection: MysqlConnection) => Promise<T>): Promise<T> {
    const until = elapsed() + milliseconds;
    const patience = Math.min(milliseconds, this.#timeout);
    const message = `no connection to the database in ${this.#timeout} ms`;
    const connection = await within(this.#connect(), patience, message, (late) => void late.release());
    let isSound = false;
    try {
      const value = await within(work(connection), until - elapsed(), `no answer in ${Math.round(milliseconds)} ms`);
      isSound = true;
      return value;
    } catch (error) {
      isSound = this.#sql.isTaken(error) || this.#sql.isTransient(error) || this.#sql.isMissingTable(error);
      throw error;
    } finally {
      // An unsound connection is closed: its statement may still be running, and it may hold a lock.
      if (isSound) void connection.release();
      else connection.destroy();
    }
  }
}

async function run(connection: MysqlConnection, { sql, parameters }: SqlStatement) {
  const query = { sql, rowsAsArray: false, namedPlaceholders: false } as const;
  // Some statements can't be prepared (CREATE TRIGGER); none of them has a parameter.
  if (parameters.length === 0) return resultOf(await connection.query(query));
  return resultOf(await connection.execute(query, valuesOf(parameters)));
}

function plain(sql: string): SqlStatement {
  return { sql, parameters: [] };
}

/** The server takes no writes: it is a replica now (1290, 1836), or the session was made read-only (1792). Nothing was done. */
function isReadOnly(error: unknown): boolean {
  for (const { errno } of causesOf(error)) if ([1290, 1792, 1836].includes(errno as number)) return true;
  return false;
}
