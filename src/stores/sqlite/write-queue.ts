import { setImmediate } from 'node:timers/promises';
import { elapsed } from '../shared/deadline.js';
import type { Dialect } from '../sql/dialect.js';
import type { SqlStatement } from '../sql/driver.js';
import type { Connection } from './connection.js';
import { isBusy } from './driver.js';

/** How long writes are added to one transaction before it is committed, in milliseconds. */
const LONGEST = 10;
/** This many writes share a transaction even if they take longer. */
const FEW = 16;

/** The rows that each statement of a batch changed, or the reason why all of it is undone: a key is taken. */
type Outcome = { readonly counts: readonly number[] } | { readonly taken: unknown };

interface Waiting {
  readonly statements: readonly SqlStatement[];
  readonly resolve: (counts: readonly number[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Concurrent batches share a transaction, and so its only slow part: the wait for the disk. Each by itself happens
 * completely or not at all. None is confirmed before all of them are durable. Writes keep their order. Between two
 * transactions the event loop turns.
 */
export class WriteQueue {
  readonly #dialect: Dialect;
  readonly #attempt: <T>(work: (db: Connection) => T) => Promise<T>;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | null = null;

  /** @param attempt does work on the connection, and repeats it while another process holds the lock */
  constructor(dialect: Dialect, attempt: <T>(work: (db: Connection) => T) => Promise<T>) {
    this.#dialect = dialect;
    this.#attempt = attempt;
  }

  add(statements: readonly SqlStatement[]): Promise<readonly number[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ statements, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves once nothing waits. */
  async idle(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    do {
      await setImmediate();
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#commit(batch);
    } while (this.#waiting.length > 0);
    this.#draining = null;
  }

  /** Makes the first of them together, and puts the rest back if the time is over. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    let done: readonly Outcome[];
    try {
      done = await this.#attempt((db) => this.#together(db, batch));
    } catch (error) {
      if (batch.length === 1 || isBusy(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      // One of them failed, and it is not known which. So each is tried by itself.
      for (const each of batch) {
        await this.#commit([each]);
        await setImmediate();
      }
      return;
    }
    this.#waiting = [...batch.slice(done.length), ...this.#waiting];
    // The callers' own work takes time too.
    if (done.length > 1) await setImmediate();
    for (const [index, outcome] of done.entries()) {
      if ('taken' in outcome) batch[index]?.reject(outcome.taken);
      else batch[index]?.resolve(outcome.counts);
    }
  }

  /** Makes the first batches in one transaction, as many as time allows. If one throws, nothing is written. */
  #together(db: Connection, batch: readonly Waiting[]): readonly Outcome[] {
    const [first] = batch as [Waiting];
    const done: Outcome[] = [];
    const make = ({ statements }: Waiting) => {
      const outcome = this.#run(db, statements);
      done.push(outcome);
      return 'counts' in outcome && !isRefused(statements, outcome.counts);
    };
    if (batch.length === 1) {
      db.transaction(() => make(first));
      return done;
    }
    const until = elapsed() + LONGEST;
    db.transaction(() => {
      let isWritten = false;
      for (const each of batch) {
        if (done.length >= FEW && elapsed() >= until) break;
        if (db.savepoint(() => make(each))) isWritten = true;
      }
      return isWritten;
    });
    return done;
  }

  #run(db: Connection, statements: readonly SqlStatement[]): Outcome {
    const counts: number[] = [];
    try {
      for (const statement of statements) {
        counts.push(db.run(statement));
        if (isRefused(statements, counts)) break;
      }
      return { counts };
    } catch (error) {
      if (this.#dialect.isTaken(error)) return { taken: error };
      throw error;
    }
  }
}

/** Whether the statement that decides has changed no row. */
function isRefused(statements: readonly SqlStatement[], counts: readonly number[]): boolean {
  return counts.some((count, index) => count === 0 && statements[index]?.decides === true);
}
