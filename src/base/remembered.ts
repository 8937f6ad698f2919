import { BoundedMap } from './bounded-map.js';

/**
 * Holds one entry for each key: a value, or an absence. A new entry replaces the old one of either kind, so a value that was
 * seen deleted never comes back. Absences have a limit of their own: a flood of unknown keys evicts no value.
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

  /** The number of values, without the absences. */
  get size(): number {
    return this.#values.size;
  }
}
