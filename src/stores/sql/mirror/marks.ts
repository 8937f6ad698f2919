import { elapsed } from '../../shared/deadline.js';
import type { Dialect } from '../dialect.js';
import type { SqlDriver, SqlStatement } from '../driver.js';

/** The marks' kind among the entries. */
const KIND = 'mirror';
const HOUR = 3_600_000;

/**
 * Marks that this process writes at the primary: numbers, each with the time at which its writing began. A replica repeats commits in
 * their order. So a state with a mark holds everything that was committed before that time.
 */
export class Marks {
  readonly #dialect: Dialect;
  readonly #write: SqlDriver['batch'];
  readonly #span: number;
  readonly #upsert: string;
  readonly #column: string;
  readonly #id = crypto.randomUUID();
  /** By number. A write that failed may still happen. Also by the clock of the day, which goes on while the machine is suspended. */
  readonly #times = new Map<number, { readonly time: number; readonly at: number }>();
  #last = 0;
  #isWriting = false;

  /** @param span a mark older than this counts as unknown, in milliseconds */
  constructor(dialect: Dialect, write: SqlDriver['batch'], span: number) {
    this.#dialect = dialect;
    this.#write = write;
    this.#span = span;
    const table = dialect.table('entries');
    this.#upsert = dialect.add({
      table,
      columns: ['kind', 'id', 'value', 'expires_at', 'version'],
      select: 'VALUES (:kind, :id, :value, #expiresAt, 1)',
      key: ['kind', 'id'],
      sets: (_, added) => ({ value: added('value'), expires_at: added('expires_at') }),
    });
    this.#column = `(SELECT value FROM ${table} WHERE kind = '${KIND}' AND id = '${this.#id}') AS mark`;
  }

  /** Writes the next mark, unless one is being written. */
  async make(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const now = elapsed();
    for (const [number, { time }] of this.#times) if (now - time > this.#span) this.#times.delete(number);
    this.#times.set(++this.#last, { time: now, at: Date.now() });
    // The same for an hour: then PostgreSQL changes no index.
    const expiresAt = (Math.floor(Date.now() / HOUR) + 2) * HOUR;
    const values = { kind: KIND, id: this.#id, value: String(this.#last), expiresAt };
    try {
      await this.#write([this.#dialect.statement(this.#upsert, values, { isFrequent: true })]);
    } finally {
      this.#isWriting = false;
    }
  }

  /** The same SELECT, with the mark in each row: of the same state as the rest, because it is one statement. */
  marked({ sql, ...rest }: SqlStatement): SqlStatement {
    return { ...rest, sql: sql.replace(/^SELECT /, `SELECT ${this.#column}, `) };
  }

  /** The statement that reads the mark alone. */
  get reading(): SqlStatement {
    return { sql: `SELECT ${this.#column}`, parameters: [], isFrequent: true };
  }

  /** Everything that was committed before this time is in a state with this mark. */
  timeOf(mark: unknown): number {
    const made = this.#times.get(Number(mark ?? 0));
    return made === undefined || Date.now() - made.at > this.#span ? Number.NEGATIVE_INFINITY : made.time;
  }
}
