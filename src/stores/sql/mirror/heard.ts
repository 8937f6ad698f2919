/** With more single keys than this, everything counts as changed: it is cheaper. */
const MAX_KEYS = 250_000;

/**
 * When changes were heard of, by key. A change is forgotten after `span`: older states are not accepted anyway. All times are
 * milliseconds of one monotonic clock.
 */
export class Heard {
  readonly #span: number;
  #everything = Number.NEGATIVE_INFINITY;
  #recent = new Map<string, number>();
  #earlier = new Map<string, number>();
  #turnedAt = Number.NEGATIVE_INFINITY;

  constructor(span: number) {
    this.#span = span;
  }

  note(key: string, now: number): void {
    if (now - this.#turnedAt > this.#span) {
      this.#earlier = this.#recent;
      this.#recent = new Map();
      this.#turnedAt = now;
    }
    this.#recent.set(key, now);
    if (this.#recent.size > MAX_KEYS) this.everything(now);
  }

  everything(now: number): void {
    this.#everything = now;
    this.#recent = new Map();
    this.#earlier = new Map();
  }

  /** The time of the last change of any of these keys. */
  last(keys: readonly string[]): number {
    const times = keys.flatMap((key) => [this.#recent.get(key) ?? this.#earlier.get(key) ?? this.#everything]);
    return Math.max(this.#everything, ...times);
  }
}
