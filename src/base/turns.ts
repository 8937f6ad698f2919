import type { Store } from '../ports/store.js';
import { elapsed, onNextTurn } from './runtime.js';

/** How long calls may follow each other before the event loop turns, in milliseconds. */
const LONGEST = 5;

/**
 * Turns of the event loop, for work that never waits: calls of a store in this process, the rows of a page. A caller that awaits one
 * such call after another would never let the loop turn, and no one else would be served. So a call that comes late in a turn waits
 * for the next turn.
 */
export class Turns {
  #begun: number | null = null;
  #next: Promise<void> | null = null;

  /** A promise that a call must await. Call this again after it, until it returns `null`. */
  wait(): Promise<void> | null {
    if (this.#next !== null) return this.#next;
    const now = elapsed();
    if (this.#begun === null) {
      this.#begun = now;
      onNextTurn(() => {
        this.#begun = null;
      });
      return null;
    }
    if (now - this.#begun < LONGEST) return null;
    this.#next = new Promise((resolve) => {
      onNextTurn(() => {
        this.#next = null;
        resolve();
      });
    });
    return this.#next;
  }
}

const turns = new Turns();

/** Await it between the parts of long work. All such work of this process shares the time of one turn. */
export async function giveTurn(): Promise<void> {
  for (let turn = turns.wait(); turn !== null; turn = turns.wait()) await turn;
}

/** Maps a list in order, and lets the event loop turn between the items. */
export async function inTurn<Item, Made>(
  items: readonly Item[],
  make: (item: Item) => Made | Promise<Made>,
): Promise<Made[]> {
  const made: Made[] = [];
  for (const item of items) {
    await giveTurn();
    made.push(await make(item));
  }
  return made;
}

/** Wraps a store so that its calls let the event loop turn. */
export function inTurns(store: Store): Store {
  const turns = new Turns();
  const taking = (method: (...given: unknown[]) => unknown) => {
    return async (...given: unknown[]) => {
      for (let turn = turns.wait(); turn !== null; turn = turns.wait()) await turn;
      return method(...given);
    };
  };
  const { subscribe, close, ...calls } = store;
  const taken = Object.entries(calls).map(([name, method]) => [name, taking(method as never)]);
  return { ...Object.fromEntries(taken), ...(subscribe && { subscribe }), close };
}
