import type { Events } from './events.js';
import type { Store } from './ports.js';
import { after } from './runtime.js';
import type { KnownToken } from './token-cache.js';

/** How far `lastUsedAt` may be behind, in milliseconds. */
const FLUSH_INTERVAL = 10_000;
/** While the store is down, uses of at most this many tokens wait. */
const MAX_WAITING = 200_000;

/**
 * Notes uses, off the request's path: a call costs one comparison, and one entry in a map at its token's first use in an
 * interval. The batch is written when the interval is over, and on close.
 */
export class UsageRecorder {
  readonly #store: Store;
  readonly #events: Events;
  #waiting = new Map<string, number>();
  #interval = 0;
  #cancel: (() => void) | null = null;
  #closed = false;
  #flushing: Promise<void> = Promise.resolve();

  constructor(store: Store, events: Events) {
    this.#store = store;
    this.#events = events;
  }

  note(token: KnownToken, now: number): void {
    if (token.notedIn === this.#interval) return;
    token.notedIn = this.#interval;
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(token.principal.tokenId, now);
    this.#schedule();
  }

  /** Writes what waits. What can't be written waits for the next time. Never rejects. */
  flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    this.#flushing = this.#flushing.then(() => this.#write());
    return this.#flushing;
  }

  /** The last flush: what can't be written now is lost. */
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
    if (this.#waiting.size === 0) return;
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#interval++;
    try {
      await this.#store.recordUsage([...batch].map(([tokenId, lastUsedAt]) => ({ tokenId, lastUsedAt })));
    } catch (error) {
      const now = Math.max(...batch.values());
      for (const [id, at] of batch) {
        if (this.#waiting.size < MAX_WAITING && !this.#waiting.has(id)) this.#waiting.set(id, at);
      }
      this.#schedule();
      this.#events.fault('usage', error, now);
    }
  }
}
