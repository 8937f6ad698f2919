/** A call that is open, and whose right to be so is looked at now and then. */
export interface Rechecked {
  recheck(): void;
  /** Where it stands among the open calls; nobody else's business. */
  link?: Link | null | undefined;
}

/** Calls are linked to each other, not kept in a set: most are over before their first recheck, and pay for both ends. */
interface Link {
  readonly call: Rechecked | null;
  before: Link;
  after: Link;
}

/** The calls are looked at in so many parts of an interval or more, so that a hundred thousand are not all asked at once. */
const SLICES = 16;

/**
 * Rechecks the open calls of one guard, each once an interval, by one timer for all. The timer runs only while there are
 * calls (it finds out at its next beat), and doesn't keep the process alive.
 */
export class Rechecks {
  readonly #beat: number;
  /** Each a ring of calls that begins and ends with a link that is none's. */
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
    // A call that ends meanwhile still leads to those after it; it is not asked any more.
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
