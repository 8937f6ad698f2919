import type { SqlRow, SqlStatement } from '../sql/driver.js';
import { SyncStatements } from '../sql/drivers/sync-statements.js';
import type { SqliteDatabase } from './driver.js';

/** An open database. Statements are prepared once. Changes go through {@link transaction}. */
export class Connection {
  readonly #database: SqliteDatabase;
  readonly #statements: SyncStatements;

  constructor(database: SqliteDatabase) {
    this.#database = database;
    this.#statements = new SyncStatements(database);
  }

  /** The first row of a statement without parameters. */
  get(sql: string): SqlRow | undefined {
    return this.all({ sql, parameters: [] })[0];
  }

  all(statement: SqlStatement): readonly SqlRow[] {
    return this.#statements.all(statement);
  }

  /** Returns the number of rows written. */
  run(statement: SqlStatement): number {
    return this.#statements.run(statement);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /**
   * Does `work` completely or not at all: work that throws or returns `false` is rolled back. The transaction takes the write
   * lock at its beginning (BEGIN IMMEDIATE), because one that reads first and then finds the lock taken can't continue.
   */
  transaction(work: () => boolean): boolean {
    this.exec('BEGIN IMMEDIATE');
    let done = false;
    try {
      done = work();
      if (done) this.exec('COMMIT');
      return done;
    } catch (error) {
      done = false;
      throw error;
    } finally {
      if (!done) this.#rollBack();
    }
  }

  /** Inside a transaction: the same for a part of it. An error undoes the whole transaction, unless `work` catches it. */
  savepoint(work: () => boolean): boolean {
    this.exec('SAVEPOINT part');
    const done = work();
    if (!done) this.exec('ROLLBACK TO part');
    this.exec('RELEASE part');
    return done;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }

  #rollBack(): void {
    try {
      this.exec('ROLLBACK');
    } catch {
      // SQLite has already rolled back by itself (disk full, I/O error). The first error is the one to report.
    }
  }
}
