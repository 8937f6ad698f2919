import type { Clock } from '../ports/environment.js';

/** Milliseconds. A larger step back means that the clock was set, not slewed. */
const JUMP = 1000;
const MINUTE = 60_000;
/** A larger step ahead may be a wrong clock, or just a night without a call. */
const DAY = 86_400_000;
/** Only this many jumps ahead can be undone. Jumps before them are final. */
const MAX_JUMPS = 3;

interface Listeners {
  /** The clock was set back: ages are meaningless now. */
  setBack(): void;
  /** The clock was far ahead, came back, and is trusted again. */
  believed(): void;
}

/**
 * The time for decisions. A clock that is set back never makes an expired credential valid again: expiry is judged by the latest
 * time that was ever read. Ages in the cache use the clock itself.
 *
 * There is one exception: a clock that jumps ahead by more than a day, and comes back to at most a day after the time before the
 * jump, was wrong. After a minute there it is trusted again. Expiry is then judged by the clock, or by the latest time before the
 * jump if that is later. If the clock stays ahead for a day, the jump was right.
 */
export class Time {
  readonly #clock: Clock;
  #listeners: Listeners = { setBack() {}, believed() {} };
  #latest = Number.NEGATIVE_INFINITY;
  #previous = Number.NEGATIVE_INFINITY;
  /** The latest time before each jump that may be wrong, the earliest jump first. */
  #beforeJumps: number[] = [];
  #jumpedTo = 0;
  /** The time at which the clock came back; `null`: it has not come back. */
  #backSince: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  listen(listeners: Listeners): void {
    this.#listeners = listeners;
  }

  /** Reads the clock: epoch milliseconds. @throws TypeError if the clock returns no finite number */
  read(): number {
    // Whole milliseconds: stores keep integers.
    const now = Math.floor(this.#clock());
    // With NaN every comparison is false, so nothing would ever expire.
    if (!Number.isFinite(now)) throw new TypeError('the clock option returned no finite number');
    const setBack = now < this.#previous - JUMP;
    if (now > this.#latest + DAY) this.#noteJump(now);
    if (this.#beforeJumps.length > 0) this.#judgeJumps(now, setBack);
    this.#previous = now;
    if (now > this.#latest) this.#latest = now;
    if (setBack) this.#listeners.setBack();
    return now;
  }

  /** The time by which expiry is judged: as a rule, the latest that was ever read. Call `read` first. */
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
