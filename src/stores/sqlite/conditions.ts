import type { SqlValue } from './driver.js';

/** A statement and its parameters. Only the set of conditions varies in the text; compared values are always parameters. */
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

  /** Ends with a space; empty without conditions. */
  get where(): string {
    return this.#conditions.length > 0 ? `WHERE ${this.#conditions.join(' AND ')} ` : '';
  }
}
