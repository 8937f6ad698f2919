import { BoundedMap } from './bounded-map.js';

/**
 * One entry a key: a value, or the fact that there is none. A new entry replaces the old one of either kind, so what was seen
 * gone never comes back. Absences are bounded apart: a flood of unknown keys drives out no value.
 */
export class Remembered<K, Value, Absence> {
  readonly #values: BoundedMap<K, Value>;
  readonly #absences: BoundedMap<K, Absence>;

  constructor(maxValues: number, maxAbsences: number) {
    this.#values = new BoundedMap(maxValues);
    this.#absences = new BoundedMap(maxAbsences);
  }

  value(key: K): Value | undefined {
    return this.#values.get(key);
  }

  absence(key: K): Absence | undefined {
    return this.#absences.get(key);
  }

  setValue(key: K, value: Value): void {
    this.#absences.delete(key);
    this.#values.set(key, value);
  }

  setAbsence(key: K, absence: Absence): void {
    this.#values.delete(key);
    this.#absences.set(key, absence);
  }

  delete(key: K): void {
    this.#values.delete(key);
    this.#absences.delete(key);
  }

  clear(): void {
    this.#values.clear();
    this.#absences.clear();
  }

  clearAbsences(): void {
    this.#absences.clear();
  }

  /** How many values there are. */
  get size(): number {
    return this.#values.size;
  }
}
