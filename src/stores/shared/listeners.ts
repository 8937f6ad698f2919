import type { Invalidation } from '../../ports/store.js';

export type Listener = (invalidation: Invalidation) => void;

/** The listeners of a store. The same function may listen twice; each subscription is stopped by itself. */
export class Listeners {
  readonly #entries = new Set<Listener>();

  get size(): number {
    return this.#entries.size;
  }

  /** Returns a function that ends the subscription. It is idempotent. */
  add(listener: Listener): () => void {
    const entry: Listener = (invalidation) => listener(invalidation);
    this.#entries.add(entry);
    return () => this.#entries.delete(entry);
  }

  tell(invalidation: Invalidation | null): void {
    if (invalidation === null) return;
    for (const listener of this.#entries) {
      try {
        listener(invalidation);
      } catch {
        // A listener's error must not make a committed change look like a failed one.
      }
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}
