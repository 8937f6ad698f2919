import type { SqlValue } from './database.js';

/** Makes a parameter of a value, and gives its place in the statement. */
export type Parameter = (type: 'text' | 'bigint', value: SqlValue) => string;

/** The conditions of a page: which there are varies; what they compare is always a parameter. */
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
