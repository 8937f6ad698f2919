import type { Invalidation } from '../../ports/store.js';

export type Listener = (invalidation: Invalidation) => void;

/** Who wants to be told. The same function may listen twice, and stop once. */
export class Listeners {
  readonly #entries = new Set<Listener>();

  get size(): number {
    return this.#entries.size;
  }

  /** Returns what ends it; idempotent. */
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
        // What a listener throws must not make a change that was committed look as if it had failed.
      }
    }
  }

  clear(): void {
    this.#entries.clear();
  }
}
