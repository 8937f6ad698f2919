import { setImmediate } from 'node:timers/promises';
import { elapsed } from '../shared/deadline.js';
import type { Connection } from './connection.js';
import { isBusy } from './driver.js';

/** How long writes are added to one transaction before it is committed, in milliseconds. */
const LONGEST = 10;
/** This many writes share a transaction even if they take longer. */
const FEW = 16;

/** One write: its work in a transaction (`false` undoes it), and a callback after its commit. */
export interface Write {
  readonly work: (db: Connection) => boolean;
  readonly committed: () => void;
}

interface Waiting extends Write {
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Concurrent writes share a transaction, and so its only slow part: the wait for the disk. Each write by itself happens
 * completely or not at all. None is confirmed before all of them are durable. Writes keep their order. Between two
 * transactions the event loop turns.
 */
export class WriteQueue {
  readonly #attempt: <T>(work: (db: Connection) => T) => Promise<T>;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | null = null;

  /** @param attempt does work on the connection, and repeats it while another process holds the lock */
  constructor(attempt: <T>(work: (db: Connection) => T) => Promise<T>) {
    this.#attempt = attempt;
  }

  add(write: Write): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...write, resolve, reject });
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

  /** Makes the first writes of the batch together, and puts the rest back if the time is over. */
  async #commit(batch: readonly Waiting[]): Promise<void> {
    let done: readonly boolean[];
    try {
      done = await this.#attempt((db) => together(db, batch));
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
    for (const [index, written] of done.entries()) if (written) batch[index]?.committed();
    // The callers' own work takes time too.
    if (done.length > 1) await setImmediate();
    for (const [index, written] of done.entries()) batch[index]?.resolve(written);
  }
}

/** Makes the first writes of a batch in one transaction, as many as time allows. If one throws, nothing is written. */
function together(db: Connection, batch: readonly Write[]): readonly boolean[] {
  const [first] = batch as [Write];
  if (batch.length === 1) return [db.transaction(() => first.work(db))];
  const until = elapsed() + LONGEST;
  const done: boolean[] = [];
  db.transaction(() => {
    done.length = 0;
    for (const { work } of batch) {
      if (done.length >= FEW && elapsed() >= until) break;
      done.push(db.savepoint(() => work(db)));
    }
    return done.includes(true);
  });
  return done;
}
