import type { Change, ChangeQuery } from '../../ports/changes.js';
import { isAsked, newestFirst, placeOf, positionOf } from './query.js';

/** The latest changes, at least this many, are kept. */
const KEPT = 100_000;
/** The oldest are removed together, once there are this many more. */
const SPARE = 10_000;

/** The audit log of a memory store. It is bounded: the oldest changes go first. */
export class MemoryChanges {
  /** Oldest first, so that new ones go to the end. */
  #changes: Change[] = [];

  add(change: Change): void {
    this.#changes.splice(placeOf(this.#changes, positionOf(change), positionOf), 0, change);
    if (this.#changes.length > KEPT + SPARE) this.#changes = this.#changes.slice(-KEPT);
  }

  list(query: ChangeQuery): readonly Change[] {
    const { after, until, offset = 0, limit } = query;
    const page: Change[] = [];
    let toPass = offset;
    let index = after === undefined ? this.#changes.length : placeOf(this.#changes, positionOf(after), positionOf);
    for (; index > 0 && page.length < limit; index--) {
      const change = this.#changes[index - 1] as Change;
      if (until !== undefined && newestFirst(positionOf(change), positionOf(until)) > 0) break;
      if (!isAsked(change, query)) continue;
      if (toPass > 0) toPass--;
      else page.push(change);
    }
    return page;
  }

  trim(before: number, limit: number): number {
    const end = this.#changes.findIndex(({ at }) => at >= before);
    const gone = Math.min(limit, end < 0 ? this.#changes.length : end);
    this.#changes.splice(0, gone);
    return gone;
  }
}
