import type { Store } from '../ports/store.js';
import { elapsed, onNextTurn } from './runtime.js';

/** For how long calls may follow each other before everyone else has a turn, in milliseconds. */
const LONGEST = 5;

/**
 * Turns of the event loop, for work that never waits: calls of a store in this process, the rows of a page. Whoever awaits
 * one after the other never lets the loop turn, and nobody else is served: so what comes late in a turn waits for the next one.
 */
export class Turns {
  #begun: number | null = null;
  #next: Promise<void> | null = null;

  /** What a call has to wait for, again and again until it is `null`. */
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

/** To be awaited between the parts of long work: whoever does such work in this process shares the time before a turn. */
export async function giveTurn(): Promise<void> {
  for (let turn = turns.wait(); turn !== null; turn = turns.wait()) await turn;
}

/** Makes something of each, with turns for everyone else between them. */
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

/** A store whose calls take turns with everything else. */
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
