import type { Clock } from '../ports/environment.js';

/** A step back of more than this is a clock that was set, not one that is being slewed. */
const JUMP = 1000;

/**
 * The time as decisions see it. What has ended has ended: a clock that is set back never brings a credential back to life,
 * so lives are judged by the latest time that was ever seen. Ages in the cache go by the clock itself.
 */
export class Time {
  readonly #clock: Clock;
  #onSetBack: () => void = () => {};
  #latest = Number.NEGATIVE_INFINITY;
  #previous = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who keeps things by their age: called once the clock was set back, since ages mean nothing then. */
  onSetBack(listener: () => void): void {
    this.#onSetBack = listener;
  }

  /** What the clock says. */
  read(): number {
    // Whole milliseconds: stores keep integers.
    const now = Math.floor(this.#clock());
    // NaN would compare false with everything, and so end nothing.
    if (!Number.isFinite(now)) throw new TypeError('the clock option returned no finite number');
    if (now < this.#previous - JUMP) this.#onSetBack();
    this.#previous = now;
    if (now > this.#latest) this.#latest = now;
    return now;
  }

  /** The latest time that was ever read: what lives are judged by. Read the clock first. */
  get latest(): number {
    return this.#latest;
  }
}
