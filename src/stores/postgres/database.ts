import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { elapsed, within } from '../shared/deadline.js';
import type { Migration } from '../shared/migration.js';
import type { Row } from '../sql/rows.js';
import type { PgClient, PgPool, PgQuery } from './client.js';
import { isConnectionSound, isLostStatement, isMissingTable, isRefusedBySession, isTransient } from './errors.js';
import { migrate, planMigration } from './migrate.js';

/** A statement with the parameters `$1` and so on. With a name it is prepared, if that is safe. */
export interface Statement {
  readonly text: string;
  readonly name?: string;
}

export type SqlValue = string | number | null | readonly (string | number)[];

/** The name is a hash of the whole text: on a shared connection, another text may already have a simpler name. */
export function prepared(text: string): Statement {
  return { text, name: `postern_${createHash('sha256').update(text).digest('hex').slice(0, 24)}` };
}

/** How often a statement is tried that lost a race inside PostgreSQL. */
const ATTEMPTS = 10;
/** Changing a large table may take long. Other calls don't wait this long for it. Milliseconds. */
const MIGRATION_LIMIT = 600_000;

const ignore = () => {};

/** Runs statements through a pool. Each call is one statement on one connection, with a deadline. */
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
    // An idle connection that breaks is an error event of the pool. Without a listener it would end the process.
    pool.on('error', ignore);
  }

  /** Resolves once the tables exist. */
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

  /** Runs one statement, as a transaction of its own, and returns its rows. */
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
        // That connection is gone. The pool may have others like it. If a new connection also refuses, the server does.
        if (isKnown && isRefusedBySession(error)) continue;
        if (isMissingTable(error)) this.#isReady = false;
        const isUnprepared = query.name !== undefined && isLostStatement(error);
        if (isUnprepared) this.#prepares = false;
        if ((!isUnprepared && !isTransient(error)) || attempt === ATTEMPTS) throw error;
        await sleep(Math.random() * attempt * 5);
      }
    }
  }

  /** Removes its listener from the pool. The pool belongs to its owner. */
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
