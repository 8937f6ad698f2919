/** An open call that is checked again from time to time. */
export interface Rechecked {
  recheck(): void;
  /** Its place in the list. Only `Rechecks` uses it. */
  link?: Link | null | undefined;
}

/** A linked list, because adding and removing is cheap: most calls are over before their first recheck. */
interface Link {
  readonly call: Rechecked | null;
  before: Link;
  after: Link;
}

/** An interval has at least this many slices, so that a hundred thousand calls are not all checked at once. */
const SLICES = 16;

/**
 * Rechecks the open calls of one guard, each once an interval, with one timer for all. The timer stops at the first beat without
 * calls, and it never keeps the process alive.
 */
export class Rechecks {
  readonly #beat: number;
  /** Each slice is a ring of calls with one empty link as its start and end. */
  readonly #slices: readonly Link[];
  #size = 0;
  #timer: ReturnType<typeof setInterval> | null = null;
  #nextToFill = 0;
  #nextToCheck = 0;

  /** @param interval milliseconds, from 1 up */
  constructor(interval: number) {
    this.#beat = Math.max(1, Math.floor(interval / SLICES));
    this.#slices = Array.from({ length: Math.floor(interval / this.#beat) }, emptyRing);
  }

  /** How many calls are open. */
  get size(): number {
    return this.#size;
  }

  add(call: Rechecked): void {
    const ring = this.#slices[this.#nextToFill] as Link;
    this.#nextToFill = (this.#nextToFill + 1) % this.#slices.length;
    const link: Link = { call, before: ring.before, after: ring };
    ring.before.after = link;
    ring.before = link;
    call.link = link;
    this.#size++;
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.#check(), this.#beat);
      this.#timer.unref();
    }
  }

  has(call: Rechecked): boolean {
    return call.link != null;
  }

  delete(call: Rechecked): void {
    const { link } = call;
    if (link == null) return;
    link.before.after = link.after;
    link.after.before = link.before;
    call.link = null;
    this.#size--;
  }

  #check(): void {
    if (this.#size === 0) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    const ring = this.#slices[this.#nextToCheck] as Link;
    this.#nextToCheck = (this.#nextToCheck + 1) % this.#slices.length;
    // A call that ends meanwhile is skipped, but still leads to the next.
    for (let link = ring.after; link !== ring; link = link.after) {
      if (link.call?.link === link) link.call.recheck();
    }
  }
}

function emptyRing(): Link {
  const ring = { call: null } as unknown as Link;
  ring.before = ring;
  ring.after = ring;
  return ring;
}
