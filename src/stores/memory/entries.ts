import type { StoredEntry } from '../../ports/records.js';

/** The entries that each write checks, to remove ended ones. It is more than a write adds, so they never pile up. */
const SWEPT_BY_WRITE = 8;

/** The entries of a memory store. Later writes remove ended entries. */
export class MemoryEntries {
  readonly #entries = new Map<string, StoredEntry>();
  #sweep = this.#entries.entries();

  /** The number of entries, including ended ones that are not removed yet. */
  get size(): number {
    return this.#entries.size;
  }

  find(kind: string, id: string, now: number): StoredEntry | null {
    const entry = this.#entries.get(keyOf(kind, id));
    return entry === undefined || hasEnded(entry, now) ? null : entry;
  }

  put(entry: StoredEntry, expectedVersion: number, now: number): boolean {
    const copy = { ...entry };
    if ((this.find(copy.kind, copy.id, now)?.version ?? 0) !== expectedVersion) return false;
    this.#sweepSome(now);
    this.#entries.set(keyOf(copy.kind, copy.id), copy);
    return true;
  }

  delete(kind: string, id: string, expectedVersion: number, now: number): boolean {
    const entry = this.find(kind, id, now);
    return entry?.version === expectedVersion && this.#entries.delete(keyOf(kind, id));
  }

  trim(now: number, limit: number): number {
    let trimmed = 0;
    for (const [key, entry] of this.#entries) {
      if (trimmed === limit) break;
      if (hasEnded(entry, now) && this.#entries.delete(key)) trimmed++;
    }
    return trimmed;
  }

  /** Checks some entries at a time, going round all of them. */
  #sweepSome(now: number): void {
    for (let looked = 0; looked < SWEPT_BY_WRITE; looked++) {
      const { done, value } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#entries.entries();
        return;
      }
      if (hasEnded(value[1], now)) this.#entries.delete(value[0]);
    }
  }
}

function keyOf(kind: string, id: string): string {
  return JSON.stringify([kind, id]);
}

function hasEnded({ expiresAt }: StoredEntry, now: number): boolean {
  return expiresAt !== null && expiresAt <= now;
}
