import type { Database, Statement } from './database.js';
import { elapsed } from './deadline.js';

/** A process counts as live for so many heartbeats after its last one. */
const LEASE = 3.3;
/** Rows of processes that are long gone are cleared away by those that come. */
const FORGOTTEN_AFTER = "interval '1 hour'";

/**
 * Who listens, as a table says: `confirm` waits for those. A process is in it before it reads anything that it might
 * remember, so that none is forgotten that could serve what was changed.
 */
export class Presence {
  readonly #db: Database;
  readonly #instance: string;
  readonly #lease: number;
  readonly #list: Statement;
  readonly #remove: Statement;
  readonly #clear: Statement;
  /** As a statement and its parameters, for whoever sends it along with something else. */
  readonly upsert: string;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #registering: Promise<void> | null = null;
  #removing: Promise<unknown> = Promise.resolve();

  constructor(db: Database, schema: string, instance: string, heartbeat: number) {
    this.#db = db;
    this.#instance = instance;
    this.#lease = Math.round(heartbeat * LEASE);
    this.upsert = `INSERT INTO ${schema}.listeners (instance, live_until)
      VALUES ($1::text, clock_timestamp() + $2::bigint * interval '1 ms')
      ON CONFLICT (instance) DO UPDATE SET live_until = excluded.live_until`;
    this.#list = { text: `SELECT instance FROM ${schema}.listeners WHERE live_until > clock_timestamp()` };
    this.#remove = { text: `DELETE FROM ${schema}.listeners WHERE instance = $1::text` };
    this.#clear = { text: `DELETE FROM ${schema}.listeners WHERE live_until < now() - ${FORGOTTEN_AFTER}` };
  }

  get values(): [string, number] {
    return [this.#instance, this.#lease];
  }

  /** Whether the table surely has this process for live. */
  get isFresh(): boolean {
    return elapsed() < this.#freshUntil;
  }

  /** It was written at this time, by the clock of {@link elapsed}, or later. */
  written(at: number): void {
    this.#freshUntil = at + this.#lease;
  }

  register(): Promise<void> {
    this.#registering ??= this.#register().finally(() => {
      this.#registering = null;
    });
    return this.#registering;
  }

  async #register(): Promise<void> {
    // A row that is being removed would take the new one along.
    await this.#removing;
    const at = elapsed();
    const isNew = this.#freshUntil === Number.NEGATIVE_INFINITY;
    await this.#db.run({ text: this.upsert }, this.values);
    this.written(at);
    if (isNew) await this.#db.run(this.#clear, []).catch(() => {});
  }

  /**
   * After what is under way, which might write it once more. Never rejects: a row that stays is not live after a while.
   */
  async remove(after: Promise<unknown>): Promise<void> {
    this.#freshUntil = Number.NEGATIVE_INFINITY;
    this.#removing = Promise.allSettled([after, this.#registering])
      .then(() => this.#db.run(this.#remove, [this.#instance]))
      .catch(() => {});
    await this.#removing;
  }

  async live(): Promise<readonly string[]> {
    return (await this.#db.run(this.#list, [])).map(({ instance }) => instance as string);
  }
}
