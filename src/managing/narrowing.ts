import type { Ground } from '../base/ground.js';
import { excessOf } from '../domain/grants.js';
import type { StoredToken } from '../ports/records.js';

const KIND = 'token_narrowing';
/** How long others wait for an edit that broke off, in milliseconds. */
const LONGEST = 10_000;

/** Lets an edit that takes grants away go first: while one is under way, nobody else's edit of that token is written. */
export class Narrowing {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** Whether an edit takes grants away and gives none. A token has only so many: nobody can go on with it for ever. */
  takesAway(before: StoredToken, next: StoredToken): boolean {
    if (before.types === next.types) return false;
    const { reader, settings } = this.#ground;
    try {
      const [held, left] = [reader.grants(before), reader.grants(next)];
      const gained = excessOf(left.stored, held, settings.catalog);
      return gained === null && excessOf(held.stored, left, settings.catalog) !== null;
    } catch {
      // Of a damaged record nobody knows; an edit may mend it.
      return false;
    }
  }

  async isUnderWay(id: string): Promise<boolean> {
    const { store, time } = this.#ground;
    return (await store.findEntry(KIND, id, time.read())) !== null;
  }

  /** Joins another one of the same token that is under way. */
  async begin(id: string): Promise<void> {
    const { store, time } = this.#ground;
    const now = time.read();
    await store.putEntry({ kind: KIND, id, value: '1', expiresAt: now + LONGEST, version: 1 }, 0, now);
  }

  async end(id: string): Promise<void> {
    const { store, time } = this.#ground;
    await store.deleteEntry(KIND, id, 1, time.read());
  }
}
