import type { Store } from '../ports/store.js';
import { elapsed, onNextTurn } from './runtime.js';

/**
 * Who has waited for this many turns goes: a caller whose next call is made in its own turn would otherwise be the first in every
 * turn, and on a slow machine the only one.
 */
const MOST_WAITS = 10;
/** How long calls may follow each other before the event loop turns, in milliseconds. */
const LONGEST = 5;

/**
 * Turns of the event loop, for work that never waits: calls of a store in this process, the rows of a page. A caller that awaits one
 * such call after another would never let the loop turn, and no one else would be served. So a call that comes late in a turn waits
 * for the next turn.
 *
 * Everyone who waits has a callback of their own: on Workers, callbacks end with the request that they belong to.
 */
export class Turns {
  #begun: number | null = null;

  /**
   * A promise that a call must await. Call this again after it, until it returns `null`.
   *
   * @param waited how often this call has waited
   */
  wait(waited: number): Promise<void> | null {
    const now = elapsed();
    if (waited >= MOST_WAITS) return null;
    if (this.#begun !== null && now - this.#begun >= LONGEST) return new Promise((resolve) => this.#nextTurn(resolve));
    if (this.#begun === null) {
      this.#begun = now;
      this.#nextTurn(() => {});
    }
    return null;
  }

  /** Calls back in the next turn. The first callback there begins it. */
  #nextTurn(callback: () => void): void {
    const ending = this.#begun;
    onNextTurn(() => {
      if (this.#begun === ending) this.#begun = null;
      callback();
    });
  }
}

const turns = new Turns();

/**
 * Does one part of long work when it may: all such work of this process shares the time of one turn. No promise stands between the
 * look at the clock and the work, or everyone who waits would look first and then work at once.
 */
export async function inItsTurn<Made>(work: () => Made | Promise<Made>): Promise<Made> {
  let waited = 0;
  for (let turn = turns.wait(waited); turn !== null; turn = turns.wait(++waited)) await turn;
  return work();
}

/** Maps a list in order, and lets the event loop turn between the items. */
export async function inTurn<Item, Made>(
  items: readonly Item[],
  make: (item: Item) => Made | Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for (const item of items) made.push(await inItsTurn(() => make(item)));
  return made;
}

/** Wraps a store so that its calls let the event loop turn. */
export function inTurns(store: Store): Store {
  const turns = new Turns();
  const taking = (method: (...given: unknown[]) => unknown) => {
    return async (...given: unknown[]) => {
      let waited = 0;
      for (let turn = turns.wait(waited); turn !== null; turn = turns.wait(++waited)) await turn;
      return method(...given);
    };
  };
  const { subscribe, close, ...calls } = store;
  const taken = Object.entries(calls).map(([name, method]) => [name, taking(method as never)]);
  return { ...Object.fromEntries(taken), ...(subscribe && { subscribe }), close };
}
