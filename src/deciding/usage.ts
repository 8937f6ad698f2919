import { dayOf } from '../base/days.js';
import type { Events } from '../base/events.js';
import { after } from '../base/runtime.js';
import type { Store } from '../ports/store.js';
import type { Account } from './holder.js';
import { Uses } from './uses.js';

/** How late `lastUsedAt` and the counts may be, in milliseconds. A crash loses no more than that. */
const FLUSH_INTERVAL = 10_000;
/** The most tokens in one write, and the most counts. Each is a transaction, and on SQLite it blocks the event loop: so it is short. */
const BATCH = 100;
const BATCH_COUNTS = 300;
/** The most tokens whose uses wait while the store is down, and the most counts of them together. */
const MAX_WAITING = 200_000;
const MAX_COUNTS = 500_000;

/**
 * Counts uses. A call costs one addition; the counts are written later in batches, after an interval and on close.
 */
export class UsageRecorder {
  readonly #store: Store;
  readonly #events: Events;
  /** Tokens with uses since the last write. */
  #counting: Account[] = [];
  /** Uses that are not written yet, by token. */
  readonly #unwritten = new Map<string, Uses>();
  /** The number of counts that wait. */
  #counts = 0;
  #cancel: (() => void) | null = null;
  #closed = false;
  #flushing: Promise<void> = Promise.resolve();

  constructor(store: Store, events: Events) {
    this.#store = store;
    this.#events = events;
  }

  /**
   * @param endpoint its id, or `''` for a call without an endpoint
   * @param scope the needed scopes as one text, or `''`
   */
  note(token: Account, endpoint: string, scope: string, now: number): void {
    let { uses } = token;
    if (uses === null) {
      if (this.#counting.length >= MAX_WAITING) return;
      uses = new Uses(token.principal.tokenId);
      token.uses = uses;
      this.#counting.push(token);
      this.#schedule();
    }
    if (uses.add(dayOf(now), endpoint, scope, 1, now, this.#counts < MAX_COUNTS)) this.#counts++;
  }

  /** Writes the waiting uses. Those that can't be written wait for the next flush. Never rejects. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  /** The last flush. Uses that can't be written now are lost. */
  close(): Promise<void> {
    this.#closed = true;
    return this.flush();
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#cancel ??= after(FLUSH_INTERVAL, () => {
      this.#cancel = null;
      void this.flush();
    });
  }

  async #write(): Promise<void> {
    for (const token of this.#counting) {
      if (token.uses !== null) this.#merge(token.uses);
      token.uses = null;
    }
    this.#counting = [];
    const waiting = [...this.#unwritten.values()];
    this.#unwritten.clear();
    this.#counts = 0;
    let batch: Uses[] = [];
    let counts = 0;
    for (const part of waiting.flatMap((uses) => uses.parts(BATCH_COUNTS))) {
      if (batch.length === BATCH || counts + part.size > BATCH_COUNTS) {
        await this.#writeBatch(batch);
        batch = [];
        counts = 0;
      }
      batch.push(part);
      counts += part.size;
    }
    if (batch.length > 0) await this.#writeBatch(batch);
  }

  async #writeBatch(batch: readonly Uses[]): Promise<void> {
    try {
      await this.#store.recordUsage(
        batch.map((uses) => ({ tokenId: uses.tokenId, lastUsedAt: uses.lastUsedAt, counts: uses.counts() })),
      );
    } catch (error) {
      for (const uses of batch) this.#merge(uses);
      this.#schedule();
      this.#events.fault('usage', error, batch[0]?.lastUsedAt ?? 0);
    }
  }

  /** Adds up: a token that was read again, or has two secrets, is counted in several objects. */
  #merge(uses: Uses): void {
    const waiting = this.#unwritten.get(uses.tokenId);
    if (waiting !== undefined) {
      for (const { day, endpoint, scope, count } of uses.counts()) {
        const mayGrow = this.#counts < MAX_COUNTS;
        if (waiting.add(day, endpoint, scope, count, uses.lastUsedAt, mayGrow)) this.#counts++;
      }
    } else if (this.#unwritten.size < MAX_WAITING) {
      this.#unwritten.set(uses.tokenId, uses);
      this.#counts += uses.size;
    }
  }
}
