import { decode, type Told } from '../shared/feed/message.js';
import { type Listener, Listeners } from '../shared/listeners.js';
import type { Dialect } from './dialect.js';
import type { SqlRow, SqlStatement } from './driver.js';

/** If more changes are found at once, listeners are told to forget everything. */
const MAX_SINGLE = 500;
/** After this many looks that failed in a row, listeners are told that the feed is lost. */
const MOST_FAILURES = 3;

/**
 * Tells listeners of changes: of own ones before their call returns, of those of other processes when a look at the audit log finds
 * them. The changes that are told have numbers, without a gap. A change without a message (a new token) is not told.
 */
export class PollingFeed {
  readonly #dialect: Dialect;
  readonly #interval: number;
  readonly #ask: (statement: SqlStatement) => Promise<readonly SqlRow[]>;
  readonly #listeners = new Listeners();
  /** Own changes that a look will find, and whether they were made: then the next look must. */
  readonly #own = new Map<string, boolean>();
  /** Every change up to this one is known here; `null`: nothing was read yet. */
  #seen: number | null = null;
  #beginning: Promise<void> | null = null;
  #isLooking = false;
  #failures = 0;
  /** The loss that listeners were told of. */
  #loss: { readonly error: unknown } | null = null;
  #isStopped = false;
  #timer: ReturnType<typeof setInterval> | null = null;

  /**
   * @param interval between two looks, in milliseconds
   * @param ask runs a statement
   */
  constructor(dialect: Dialect, interval: number, ask: (statement: SqlStatement) => Promise<readonly SqlRow[]>) {
    this.#dialect = dialect;
    this.#interval = interval;
    this.#ask = ask;
  }

  /** The statement that finds the number of the last change. */
  get latest(): SqlStatement {
    return { sql: `SELECT ${this.#dialect.latest} AS latest`, parameters: [] };
  }

  /** Begins to notice changes. @param rows the answer to {@link latest}: from before anything was read */
  begin(rows: readonly SqlRow[]): void {
    this.#seen = Number(rows[0]?.latest);
  }

  /** To be called before each read or write. */
  enter(): Promise<void> | undefined {
    if (this.#seen !== null) return undefined;
    this.#beginning ??= this.#ask(this.latest)
      .then((rows) => this.begin(rows))
      .finally(() => {
        this.#beginning = null;
      });
    return this.#beginning;
  }

  subscribe(listener: Listener): () => void {
    if (this.#isStopped) return () => {};
    const stop = this.#listeners.add(listener);
    // Later, so that the subscriber is ready for it.
    queueMicrotask(() => this.#loss !== null && listener({ kind: 'lost', error: this.#loss.error }));
    this.#timer ??= startTimer(() => void this.#poll(), this.#interval);
    return () => {
      stop();
      if (this.#listeners.size === 0) this.#stopTimer();
    };
  }

  /** Makes changes, and tells listeners before it returns. A change that failed may still have been made, so they are told too. */
  async change(told: readonly Told[], make: () => Promise<readonly boolean[]>): Promise<readonly boolean[]> {
    if (this.#timer !== null) for (const { id } of told) this.#own.set(id, false);
    let made: readonly boolean[] | null = null;
    try {
      made = await make();
      return made;
    } finally {
      for (const [index, { id, invalidation }] of told.entries()) {
        const isMade = made === null ? null : made[index];
        if (isMade !== true) this.#own.delete(id);
        else if (this.#own.has(id)) this.#own.set(id, true);
        if (isMade !== false) this.#listeners.tell(invalidation);
      }
    }
  }

  async close(): Promise<void> {
    this.#isStopped = true;
    this.#listeners.clear();
    this.#stopTimer();
  }

  async #poll(): Promise<void> {
    if (this.#seen === null || this.#isLooking) return;
    this.#isLooking = true;
    try {
      await this.#look(this.#seen);
      const wasLost = this.#loss !== null;
      this.#failures = 0;
      this.#loss = null;
      if (wasLost) this.#listeners.tell({ kind: 'restored' });
    } catch (error) {
      // Nothing is marked as seen, so the next look finds it.
      if (++this.#failures !== MOST_FAILURES) return;
      this.#loss = { error };
      this.#listeners.tell({ kind: 'lost', error });
    } finally {
      this.#isLooking = false;
    }
  }

  async #look(seen: number): Promise<void> {
    const due = [...this.#own].flatMap(([id, isMade]) => (isMade ? [id] : []));
    const rows = await this.#ask(
      this.#dialect.statement(
        `SELECT last.latest, c.seq, c.told FROM (SELECT ${this.#dialect.latest} AS latest) last
          LEFT JOIN ${this.#dialect.table('changes')} c ON c.seq > #seen ORDER BY c.seq LIMIT #limit`,
        { seen, limit: MAX_SINGLE + 1 },
        { isFrequent: true },
      ),
    );
    if (this.#isStopped || rows.length === 0) return;
    const latest = Number(rows[0]?.latest);
    const found = rows.filter(({ seq }) => seq !== null);
    this.#seen = latest;
    // Too many, or some were trimmed before they were seen here, or the database was replaced by another one.
    if (found.length !== latest - seen) this.#forgetEverything();
    else for (const { told } of found) this.#tell(told);
    if (due.some((id) => this.#own.has(id))) this.#forgetEverything();
  }

  #forgetEverything(): void {
    this.#own.clear();
    this.#listeners.tell({ kind: 'everything' });
  }

  #tell(told: unknown): void {
    if (told === null) return;
    const message = decode(told as string);
    if (message.kind !== 'change') this.#listeners.tell({ kind: 'everything' });
    else if (!this.#own.delete(message.id)) this.#listeners.tell(message.invalidation);
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#own.clear();
  }
}

/** A timer that doesn't keep the process alive. */
function startTimer(callback: () => void, interval: number): ReturnType<typeof setInterval> {
  const timer = setInterval(callback, interval);
  timer.unref?.();
  return timer;
}
