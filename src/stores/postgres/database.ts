import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { elapsed, within } from '../shared/deadline.js';
import type { Dialect } from '../sql/dialect.js';
import type { SqlDriver, SqlRow, SqlStatement } from '../sql/driver.js';
import type { PgClient, PgPool, PgQuery, PgResult } from './client.js';
import { isConnectionSound, isLostStatement, isRefusedBySession } from './errors.js';

/** How often a statement is tried that lost a race inside PostgreSQL. */
const ATTEMPTS = 10;
/** Changing a large table may take long. Other calls don't wait this long for it. Milliseconds. */
const MIGRATION_LIMIT = 600_000;

const ignore = () => {};

/** Runs statements through a pool. Each is a transaction of its own, with a deadline. */
export class Database implements SqlDriver {
  readonly dialect = 'postgres';
  readonly #pool: PgPool;
  readonly #sql: Dialect;
  readonly #timeout: number;
  /** Connections that a statement was run on before. */
  readonly #known = new WeakSet<PgClient>();
  /** Names of prepared statements. */
  readonly #names = new Map<string, string>();
  #prepares: boolean;

  constructor(pool: PgPool, dialect: Dialect, options: { timeout: number; prepare: boolean }) {
    this.#pool = pool;
    this.#sql = dialect;
    this.#timeout = options.timeout;
    this.#prepares = options.prepare;
    // An idle connection that breaks is an error event of the pool. Without a listener it would end the process.
    pool.on('error', ignore);
  }

  async query(statement: SqlStatement): Promise<readonly SqlRow[]> {
    return (await this.#run(statement)).rows;
  }

  /** Several are a migration: a change is one statement. */
  async batch(statements: readonly SqlStatement[]): Promise<readonly number[]> {
    const [only, ...others] = statements as [SqlStatement];
    if (others.length === 0) return [countOf(await this.#run(only))];
    return this.#using(MIGRATION_LIMIT, async (client) => {
      // The database's default may be stricter. Under a lock, the current state must be seen.
      await client.query({ text: 'BEGIN ISOLATION LEVEL READ COMMITTED' });
      try {
        const counts: number[] = [];
        for (const statement of statements) counts.push(countOf(await client.query(plain(statement))));
        await client.query({ text: 'COMMIT' });
        return counts;
      } catch (error) {
        // The connection itself may have failed. Then its end undoes the transaction.
        await client.query({ text: 'ROLLBACK' }).catch(ignore);
        throw error;
      }
    });
  }

  /** Removes its listener from the pool, which belongs to its owner. */
  async close(): Promise<void> {
    this.#pool.removeListener('error', ignore);
  }

  async #run(statement: SqlStatement): Promise<PgResult> {
    const until = elapsed() + this.#timeout;
    for (let attempt = 1; ; attempt++) {
      const query = this.#prepared(statement);
      let isKnown = false;
      try {
        return await this.#using(until - elapsed(), (client) => {
          isKnown = this.#known.has(client);
          this.#known.add(client);
          return client.query(query);
        });
      } catch (error) {
        // That connection is gone. The pool may have others like it. If a new connection also refuses, the server does.
        if (isKnown && isRefusedBySession(error)) continue;
        const isUnprepared = query.name !== undefined && isLostStatement(error);
        if (isUnprepared) this.#prepares = false;
        if ((!isUnprepared && !this.#sql.isTransient(error)) || attempt === ATTEMPTS) throw error;
        await sleep(Math.random() * attempt * 5);
      }
    }
  }

  /** The name is a hash of the whole text: on a shared connection, another text may already have a simpler name. */
  #prepared(statement: SqlStatement): PgQuery {
    if (!statement.isFrequent || !this.#prepares) return plain(statement);
    const { sql } = statement;
    let name = this.#names.get(sql);
    if (name === undefined) {
      name = `postern_${createHash('sha256').update(sql).digest('hex').slice(0, 24)}`;
      this.#names.set(sql, name);
    }
    return { ...plain(statement), name };
  }

  async #using<T>(milliseconds: number, work: (client: PgClient) => Promise<T>): Promise<T> {
    const until = elapsed() + milliseconds;
    const patience = Math.min(milliseconds, this.#timeout);
    const client = await within(
      this.#pool.connect(),
      patience,
      `no connection to PostgreSQL in ${this.#timeout} ms`,
      (late) => late.release(),
    );
    // The same for a connection in use: its running statement rejects by itself.
    client.on('error', ignore);
    let isSound = false;
    try {
      const message = `PostgreSQL gave no answer in ${Math.round(milliseconds)} ms`;
      const value = await within(work(client), until - elapsed(), message);
      isSound = true;
      return value;
    } catch (error) {
      isSound = isConnectionSound(error);
      throw error;
    } finally {
      client.removeListener('error', ignore);
      // An unsound connection is closed: its statement may still be running.
      client.release(!isSound);
    }
  }
}

function plain({ sql, parameters }: SqlStatement): PgQuery {
  return { text: sql, values: [...parameters] };
}

function countOf({ rowCount, rows }: PgResult): number {
  return rowCount ?? rows.length;
}
