import type { Dialect, Values } from './dialect.js';
import type { SqlStatement, SqlValue } from './driver.js';

/** The conditions of a page. Only the set of conditions varies in the text; compared values are always parameters. */
export class Conditions {
  readonly #dialect: Dialect;
  readonly #conditions: string[] = [];
  readonly #values: Record<string, SqlValue> = {};

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** @param condition its parameters have the names of `values` */
  add(condition: string, values: Values = {}): void {
    this.#conditions.push(condition);
    Object.assign(this.#values, values);
  }

  /** Rows before or from a position on, in the order of a page. */
  addBounds(columns: readonly [string, string], after: Position | undefined, until: Position | undefined): void {
    if (after !== undefined) {
      this.add(this.#dialect.compare(columns, '<', ['#afterTime', ':afterId']), {
        afterTime: after[0],
        afterId: after[1],
      });
    }
    if (until !== undefined) {
      this.add(this.#dialect.compare(columns, '>=', ['#untilTime', ':untilId']), {
        untilTime: until[0],
        untilId: until[1],
      });
    }
  }

  /** The statement: `select` with the conditions, then `rest`. */
  statement(select: string, rest: string, values: Values): SqlStatement {
    const where = this.#conditions.length === 0 ? '' : ` WHERE ${this.#conditions.join(' AND ')}`;
    return this.#dialect.statement(`${select}${where} ${rest}`, { ...this.#values, ...values });
  }
}

export type Position = readonly [time: number, id: string];
