import type { StoredEntry } from '../../ports/records.js';
import type { Dialect } from './dialect.js';
import type { SqlStatement } from './driver.js';
import { ENTRY_COLUMNS } from './rows.js';

/** How long an ended entry stays, in milliseconds: a process whose clock is ahead must not remove another one's valid entry. */
const KEPT_AFTER_END = 60_000;

const LIVES = '(expires_at IS NULL OR expires_at > #now)';
const IS_AT_VERSION = `kind = :kind AND id = :id AND version = #expectedVersion AND ${LIVES}`;

export class EntryStatements {
  readonly #dialect: Dialect;
  readonly #entries: string;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
    this.#entries = dialect.table('entries');
  }

  find(kind: string, id: string, now: number): SqlStatement {
    const sql = `SELECT ${ENTRY_COLUMNS} FROM ${this.#entries} WHERE kind = :kind AND id = :id AND ${LIVES}`;
    return this.#dialect.statement(sql, { kind, id, now }, { isFrequent: true, findsOne: true });
  }

  findSome(kind: string, ids: readonly string[], now: number): SqlStatement {
    const asked = this.#dialect.records(':ids', { id: 'text' });
    const sql = `SELECT ${ENTRY_COLUMNS} FROM ${this.#entries}
      WHERE kind = :kind AND id IN (SELECT id FROM ${asked} asked) AND ${LIVES}`;
    const values = { kind, now, ids: JSON.stringify(ids.map((id) => ({ id }))) };
    return this.#dialect.statement(sql, values, { isFrequent: true });
  }

  /** Locks the row of this name. If there is none, it makes one that has ended. */
  lock(kind: string, id: string, now: number): SqlStatement {
    const locked = this.#dialect.add({
      table: this.#entries,
      columns: ['kind', 'id', 'value', 'expires_at', 'version'],
      select: "VALUES (:kind, :id, '', #now, 1)",
      key: ['kind', 'id'],
      sets: (there) => ({ version: there('version') }),
    });
    return this.#dialect.statement(locked, { kind, id, now });
  }

  /** The latest state of a row that is locked, at every isolation level. */
  findLocked(kind: string, id: string, now: number): SqlStatement {
    const { sql, parameters } = this.find(kind, id, now);
    return { sql: `${sql} ${this.#dialect.lock}`, parameters };
  }

  /** The last one decides. */
  put({ kind, id, value, expiresAt, version }: StoredEntry, expectedVersion: number, now: number) {
    const values = { kind, id, value, expiresAt, version, expectedVersion, now };
    const replace = `UPDATE ${this.#entries} SET value = :value, expires_at = #expiresAt, version = #version
      WHERE ${IS_AT_VERSION}`;
    const put = expectedVersion === 0 ? this.#dialect.beginEntry() : [replace];
    return put.map((sql, index) => this.#dialect.statement(sql, values, { decides: index === put.length - 1 }));
  }

  delete(kind: string, id: string, expectedVersion: number, now: number): SqlStatement {
    const sql = `DELETE FROM ${this.#entries} WHERE ${IS_AT_VERSION}`;
    return this.#dialect.statement(sql, { kind, id, expectedVersion, now }, { decides: true });
  }

  trim(now: number, limit: number): SqlStatement {
    const ended = {
      table: this.#entries,
      key: 'rowid',
      where: 'expires_at <= #before',
      order: 'expires_at',
      limit: '#limit',
    };
    return this.#dialect.statement(this.#dialect.deleteSome(ended), { before: now - KEPT_AFTER_END, limit });
  }
}
