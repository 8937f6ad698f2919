import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { elapsed, within } from '../shared/deadline.js';
import type { Migration } from '../shared/migration.js';
import type { Row } from '../sql/rows.js';
import type { PgClient, PgPool, PgQuery } from './client.js';
import { isConnectionSound, isLostStatement, isMissingTable, isRefusedBySession, isTransient } from './errors.js';
import { migrate, planMigration } from './migrate.js';

/** A statement's text with `$1` and so on. One with a name is prepared, where that is safe. */
export interface Statement {
  readonly text: string;
  readonly name?: string;
}

export type SqlValue = string | number | null | readonly (string | number)[];

/** A prepared statement's name tells its whole text: a connection that others share may know another text by a name. */
export function prepared(text: string): Statement {
  return { text, name: `postern_${createHash('sha256').update(text).digest('hex').slice(0, 24)}` };
}

/** How often what lost a race inside PostgreSQL is tried again. */
const ATTEMPTS = 10;
/** A change of a large table may take its time; who calls meanwhile is not kept waiting. Milliseconds. */
const MIGRATION_LIMIT = 600_000;

const ignore = () => {};

/** The tables through a pool: each call is one statement, on one connection, and ends by a deadline. */
export class Database {
  readonly #pool: PgPool;
  readonly #schema: string;
  readonly #timeout: number;
  /** Connections that a statement was run on before. */
  readonly #known = new WeakSet<PgClient>();
  #prepares: boolean;
  #isReady = false;
  #migrating: Promise<Migration> | null = null;

  constructor(pool: PgPool, options: { schema: string; timeout: number; prepare: boolean }) {
    this.#pool = pool;
    this.#schema = options.schema;
    this.#timeout = options.timeout;
    this.#prepares = options.prepare;
    // A connection that breaks while it is idle is an event of the pool, and one that nobody listens to ends the process.
    pool.on('error', ignore);
  }

  /** Until the tables are there. */
  async ready(): Promise<void> {
    if (!this.#isReady) await within(this.migrate(), this.#timeout, `PostgreSQL gave no answer in ${this.#timeout} ms`);
  }

  migrate(): Promise<Migration> {
    this.#migrating ??= this.#using(MIGRATION_LIMIT, (client) => migrate(client, this.#schema))
      .then((migration) => {
        this.#isReady = true;
        return migration;
      })
      .finally(() => {
        this.#migrating = null;
      });
    return this.#migrating;
  }

  plan(): Promise<Migration> {
    return this.#using(this.#timeout, (client) => planMigration(client, this.#schema));
  }

  /** The rows of one statement, which is a transaction of its own. */
  async run(statement: Statement, values: readonly SqlValue[]): Promise<readonly Row[]> {
    const until = elapsed() + this.#timeout;
    for (let attempt = 1; ; attempt++) {
      const query = this.#query(statement, values);
      let isKnown = false;
      try {
        const { rows } = await this.#using(until - elapsed(), (client) => {
          isKnown = this.#known.has(client);
          this.#known.add(client);
          return client.query(query);
        });
        return rows;
      } catch (error) {
        // That connection is gone. The pool may have others like it; a new one that refuses too speaks for the server.
        if (isKnown && isRefusedBySession(error)) continue;
        if (isMissingTable(error)) this.#isReady = false;
        const isUnprepared = query.name !== undefined && isLostStatement(error);
        if (isUnprepared) this.#prepares = false;
        if ((!isUnprepared && !isTransient(error)) || attempt === ATTEMPTS) throw error;
        await sleep(Math.random() * attempt * 5);
      }
    }
  }

  /** Ends what this class holds of the pool; the pool is its owner's. */
  close(): void {
    this.#pool.removeListener('error', ignore);
  }

  #query({ text, name }: Statement, values: readonly SqlValue[]): PgQuery {
    const query = { text, values: [...values] };
    return name === undefined || !this.#prepares ? query : { ...query, name };
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
    // The same for one that breaks while it is ours: the statement under way rejects by itself.
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
      // One that is not sound is closed: what it was asked for may still be under way on it.
      client.release(!isSound);
    }
  }
}
