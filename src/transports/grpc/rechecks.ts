/** A call that is open, and whose right to be so is looked at now and then. */
export interface Rechecked {
  recheck(): void;
}

/** The calls are looked at in so many parts of an interval or more, so that a hundred thousand are not all asked at once. */
const SLICES = 16;

/**
 * Rechecks the open calls of one guard, each once an interval, by one timer for all. The timer runs only while there are
 * calls (it finds out at its next beat), and doesn't keep the process alive.
 */
export class Rechecks {
  readonly #beat: number;
  readonly #slices: readonly Set<Rechecked>[];
  readonly #sliceOf = new Map<Rechecked, Set<Rechecked>>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #nextToFill = 0;
  #nextToCheck = 0;

  /** @param interval milliseconds, from 1 up */
  constructor(interval: number) {
    this.#beat = Math.max(1, Math.floor(interval / SLICES));
    this.#slices = Array.from({ length: Math.floor(interval / this.#beat) }, () => new Set<Rechecked>());
  }

  /** How many calls are open. */
  get size(): number {
    return this.#sliceOf.size;
  }

  add(call: Rechecked): void {
    const slice = this.#slices[this.#nextToFill] as Set<Rechecked>;
    this.#nextToFill = (this.#nextToFill + 1) % this.#slices.length;
    slice.add(call);
    this.#sliceOf.set(call, slice);
    if (this.#timer === null) {
      this.#timer = setInterval(() => this.#check(), this.#beat);
      this.#timer.unref();
    }
  }

  has(call: Rechecked): boolean {
    return this.#sliceOf.has(call);
  }

  delete(call: Rechecked): void {
    this.#sliceOf.get(call)?.delete(call);
    this.#sliceOf.delete(call);
  }

  #check(): void {
    if (this.size === 0) {
      if (this.#timer !== null) clearInterval(this.#timer);
      this.#timer = null;
      return;
    }
    const slice = this.#slices[this.#nextToCheck] as Set<Rechecked>;
    this.#nextToCheck = (this.#nextToCheck + 1) % this.#slices.length;
    for (const call of slice) call.recheck();
  }
}
