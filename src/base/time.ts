import type { Clock } from '../ports/environment.js';

/** A step back of more than this is a clock that was set, not one that is being slewed. */
const JUMP = 1000;
const MINUTE = 60_000;
/** A step ahead of more than this may be a clock that is wrong; it may be a night without a call, too. */
const DAY = 86_400_000;
/** So many jumps ahead can be taken back: what was seen before an earlier one has ended for good. */
const MAX_JUMPS = 3;

/** Told of a clock that was set. */
interface Listeners {
  /** It was set back: ages mean nothing then. */
  setBack(): void;
  /** It read wildly ahead, came back, and is believed again. */
  believed(): void;
}

/**
 * The time as decisions see it. What has ended has ended: a clock that is set back never brings a credential back to life, so
 * lives are judged by the latest time that was ever seen. Ages in the cache go by the clock itself.
 *
 * There is one exception. A clock that jumped ahead by more than a day, and came back to less than a day after the time that it
 * jumped from, was wrong: once it has run there for a minute it is believed again, and lives are judged by it, or by the latest
 * time before the jump. Where it ran ahead for a day, the jump was right.
 */
export class Time {
  readonly #clock: Clock;
  #listeners: Listeners = { setBack() {}, believed() {} };
  #latest = Number.NEGATIVE_INFINITY;
  #previous = Number.NEGATIVE_INFINITY;
  /** The latest times before the jumps ahead that may be wrong, the earliest first. */
  #beforeJumps: number[] = [];
  #jumpedTo = 0;
  /** Since when the clock runs where it came back to; `null`: it has not come back. */
  #backSince: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Who keeps things by their age, and tells of faults. */
  listen(listeners: Listeners): void {
    this.#listeners = listeners;
  }

  /** What the clock says. */
  read(): number {
    // Whole milliseconds: stores keep integers.
    const now = Math.floor(this.#clock());
    // NaN would compare false with everything, and so end nothing.
    if (!Number.isFinite(now)) throw new TypeError('the clock option returned no finite number');
    const setBack = now < this.#previous - JUMP;
    if (now > this.#latest + DAY) this.#noteJump(now);
    if (this.#beforeJumps.length > 0) this.#judgeJumps(now, setBack);
    this.#previous = now;
    if (now > this.#latest) this.#latest = now;
    if (setBack) this.#listeners.setBack();
    return now;
  }

  /** The time that lives are judged by: the latest that was ever read, as a rule. Read the clock first. */
  get latest(): number {
    return this.#latest;
  }

  /** What the clock said last. */
  get last(): number {
    return this.#previous;
  }

  #noteJump(now: number): void {
    if (this.#latest === Number.NEGATIVE_INFINITY) return;
    this.#beforeJumps = [...this.#beforeJumps, this.#latest].slice(-MAX_JUMPS);
    this.#jumpedTo = now;
  }

  #judgeJumps(now: number, setBack: boolean): void {
    const index = this.#beforeJumps.findIndex((before) => now <= before + DAY);
    if (index < 0) {
      this.#backSince = null;
      if (now >= this.#jumpedTo + DAY) this.#beforeJumps = [];
      return;
    }
    if (this.#backSince === null || setBack) this.#backSince = now;
    if (now < this.#backSince + MINUTE) return;
    this.#latest = Math.max(now, this.#beforeJumps[index] as number);
    this.#beforeJumps = this.#beforeJumps.slice(0, index);
    this.#backSince = null;
    this.#listeners.believed();
  }
}
