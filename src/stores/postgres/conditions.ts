import type { SqlValue } from './database.js';

/** Adds a value as a parameter, and returns its placeholder. */
export type Parameter = (type: 'text' | 'bigint', value: SqlValue) => string;

/** The conditions of a page. Only the set of conditions varies in the text; compared values are always parameters. */
export class Conditions {
  readonly values: SqlValue[] = [];
  readonly #conditions: string[] = [];

  readonly parameter: Parameter = (type, value) => `$${this.values.push(value)}::${type}`;

  add(condition: (parameter: Parameter) => string): void {
    this.#conditions.push(condition(this.parameter));
  }

  toString(): string {
    return this.#conditions.length === 0 ? '' : `WHERE ${this.#conditions.join(' AND ')} `;
  }
}
