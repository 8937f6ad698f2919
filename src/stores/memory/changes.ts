import type { Change, ChangeQuery } from '../../ports/changes.js';
import { isAsked, newestFirst, positionOf } from './query.js';

/** So many of the latest changes are kept at least. */
const KEPT = 100_000;
/** So many more are let pile up before the oldest are removed, all at once. */
const SPARE = 10_000;

/** The audit log of a memory store. It is bounded: the oldest changes go first. */
export class MemoryChanges {
  #changes: Change[] = [];

  add(change: Change): void {
    this.#changes.push(change);
    if (this.#changes.length > KEPT + SPARE) this.#changes = this.#changes.slice(-KEPT);
  }

  list(query: ChangeQuery): readonly Change[] {
    return this.#changes
      .filter((change) => isAsked(change, query))
      .sort((a, b) => newestFirst(positionOf(a), positionOf(b)))
      .slice(0, query.limit);
  }

  trim(before: number, limit: number): number {
    const oldest = this.#changes.filter(({ at }) => at < before).sort((a, b) => a.at - b.at);
    const gone = new Set(oldest.slice(0, limit));
    this.#changes = this.#changes.filter((change) => !gone.has(change));
    return gone.size;
  }
}
