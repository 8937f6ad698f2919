import { createPostern, type Duration, type PosternEvent, type PosternOptions } from 'postern';
import type { MirrorAnswer } from 'postern/store';
import { fromSqlite, type SqlDriver, type SqlStatement, type SqlStoreOptions, sqlStore } from 'postern/stores/sql';
import { testClock } from 'postern/testing';
import { onTestFinished } from 'vitest';
import { Libsql } from './sqlite-files.js';

/** A copy of a database, which repeats its commits in their order: at once, or later. */
export class Replica implements SqlDriver {
  readonly dialect = 'sqlite';
  readonly #database = new Libsql(':memory:');
  readonly #driver = fromSqlite(this.#database);
  readonly #log: (readonly SqlStatement[])[];
  #applied = 0;
  #isHeld = false;
  #gate: { readonly reached: () => void; readonly opened: Promise<void> } | null = null;
  /** Rejects each query with it. */
  failure: Error | null = null;
  /** How often it was read, without the looks for marks. */
  reads = 0;

  constructor(log: (readonly SqlStatement[])[]) {
    this.#log = log;
  }

  follow(): void {
    if (!this.#isHeld) this.followTo(this.#log.length);
  }

  /** Repeats the first so many commits. */
  followTo(commits: number): void {
    for (; this.#applied < commits; this.#applied++) {
      this.#database.exec('BEGIN');
      for (const { sql, parameters } of this.#log[this.#applied] ?? []) this.#database.prepare(sql).run(...parameters);
      this.#database.exec('COMMIT');
    }
  }

  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    this.#isHeld = false;
    this.follow();
  }

  /** Stops the next read after it was answered. `reached` resolves then; `open` lets it go on. */
  stopNext() {
    let reached = () => {};
    let open = () => {};
    const stopped = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate = { reached, opened };
    return { reached: stopped, open };
  }

  async query(statement: SqlStatement) {
    if (this.failure !== null) throw this.failure;
    const isRead = statement.sql.includes(' AS mark, ');
    if (isRead) this.reads++;
    const rows = await this.#driver.query(statement);
    const gate = isRead ? this.#gate : null;
    if (gate !== null) {
      this.#gate = null;
      gate.reached();
      await gate.opened;
    }
    return rows;
  }

  async batch(): Promise<never> {
    throw new Error('a replica takes no writes');
  }
}

/** A primary, and what reads from replicas of it. */
export function primaryWithReplicas() {
  const database = new Libsql(':memory:');
  const inner = fromSqlite(database);
  const log: (readonly SqlStatement[])[] = [];
  const replicas: Replica[] = [];
  /** Fails a statement of the primary. */
  const failures: ((sql: string) => boolean)[] = [];
  let reads = 0;
  const check = (sql: string) => {
    if (failures.some((fails) => fails(sql))) throw new Error('the primary is down');
  };
  const driver: SqlDriver = {
    dialect: 'sqlite',
    query: async (statement) => {
      check(statement.sql);
      if (/FROM postern_(secrets|endpoints)/.test(statement.sql)) reads++;
      return inner.query(statement);
    },
    batch: async (statements) => {
      for (const { sql } of statements) check(sql);
      const counts = await inner.batch(statements);
      log.push(statements);
      for (const replica of replicas) replica.follow();
      return counts;
    },
  };
  const aReplica = () => {
    const replica = new Replica(log);
    replicas.push(replica);
    replica.follow();
    return replica;
  };
  const clock = testClock();
  /** A process of its own at the primary, with a reader or without one. */
  const aProcess = (
    reader: SqlDriver | null,
    options: Partial<PosternOptions> = {},
    { maxLag = '1m', ...more }: Partial<SqlStoreOptions> & { maxLag?: Duration } = {},
  ) => {
    const store = sqlStore({
      driver,
      pollInterval: '50ms',
      ...(reader && { reader: { driver: reader, maxLag } }),
      ...more,
    });
    const events: PosternEvent[] = [];
    const answers: MirrorAnswer[] = [];
    store.mirror?.watch({ used: () => {}, answered: (by) => answers.push(by) });
    const postern = createPostern({
      store,
      clock: clock.now,
      onEvent: (event) => events.push(event),
      ...options,
    });
    onTestFinished(() => postern.close());
    return { store, postern, events, answers };
  };
  return {
    driver,
    clock,
    failures,
    aReplica,
    aProcess,
    commits: () => log.length,
    /** How often tokens and endpoints were read at the primary. */
    reads: () => reads,
  };
}
