import type { SqliteDatabase, SqliteStatement, SqlRow, SqlValue } from './driver.js';

/** An open database: statements are prepared once, and changes go through {@link transaction}. */
export class Connection {
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, SqliteStatement>();

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  get(sql: string, ...parameters: readonly SqlValue[]): SqlRow | undefined {
    return this.#use(sql, (statement) => statement.get(...parameters)) as SqlRow | undefined;
  }

  all(sql: string, ...parameters: readonly SqlValue[]): readonly SqlRow[] {
    return this.#use(sql, (statement) => statement.all(...parameters)) as SqlRow[];
  }

  /** How many rows were written. */
  run(sql: string, ...parameters: readonly SqlValue[]): number {
    return Number(this.#use(sql, (statement) => statement.run(...parameters)).changes);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /**
   * Does `work` whole or not at all: what throws, or answers `false`, leaves nothing behind. It takes the write lock at its
   * beginning (BEGIN IMMEDIATE), because a transaction that reads first and then finds the lock taken can't go on.
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

  /** In a transaction: the same for a part of it. What throws here undoes the whole. */
  savepoint(work: () => boolean): boolean {
    this.run('SAVEPOINT part');
    const done = work();
    if (!done) this.run('ROLLBACK TO part');
    this.run('RELEASE part');
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
      // SQLite has already rolled back by itself (disk full, I/O error); the first error is the one that tells.
    }
  }

  #use<T>(sql: string, work: (statement: SqliteStatement) => T): T {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    try {
      return work(statement);
    } catch (error) {
      // libsql throws the error of a statement once more at its next use, whatever that is: a new one takes its place.
      this.#statements.delete(sql);
      throw error;
    }
  }
}
