import type { SqlValue } from './driver.js';

/** A statement and its parameters. What varies is which conditions there are; what they compare is bound. */
export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlValue[];
}

export class Conditions {
  readonly #conditions: string[] = [];
  readonly parameters: SqlValue[] = [];

  add(condition: string, ...values: readonly SqlValue[]): void {
    this.#conditions.push(condition);
    this.parameters.push(...values);
  }

  /** With a space at its end; empty where there are none. */
  get where(): string {
    return this.#conditions.length > 0 ? `WHERE ${this.#conditions.join(' AND ')} ` : '';
  }
}
