import type { StoredEntry } from '../../ports/records.js';
import { ENTRY_COLUMNS, toEntry } from '../sql/rows.js';
import { type Database, prepared, type Statement } from './database.js';

/** Every 32nd new entry of this process removes ended entries, at most 256. */
const NEW_ENTRIES_PER_PURGE = 32;
const PURGED_AT_ONCE = 256;
/** Ended entries stay this long, in milliseconds: a process whose clock is ahead must not remove another one's valid entry. */
const PURGED_AFTER = 60_000;

export class EntryStatements {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #delete: Statement;
  readonly #purge: Statement;
  #inserted = 0;

  constructor(s: string) {
    const lives = (now: string) => `(expires_at IS NULL OR expires_at > ${now}::bigint)`;
    this.#find = prepared(
      `SELECT ${ENTRY_COLUMNS} FROM ${s}.entries
        WHERE kind = $1 AND id = $2 AND ${lives('$3')}`,
    );
    this.#insert = {
      text: `INSERT INTO ${s}.entries AS e (kind, id, value, expires_at, version)
          VALUES ($1::text, $2::text, $3::text, $4::bigint, $5::bigint)
        ON CONFLICT (kind, id) DO UPDATE SET
          value = excluded.value, expires_at = excluded.expires_at, version = excluded.version
          WHERE e.expires_at <= $6::bigint
        RETURNING 1`,
    };
    this.#replace = {
      text: `UPDATE ${s}.entries SET value = $3::text, expires_at = $4::bigint, version = $5::bigint
        WHERE kind = $1::text AND id = $2::text AND version = $7::bigint AND ${lives('$6')} RETURNING 1`,
    };
    this.#delete = {
      text: `DELETE FROM ${s}.entries
        WHERE kind = $1::text AND id = $2::text AND version = $4::bigint AND ${lives('$3')} RETURNING 1`,
    };
    // Skips locked rows: another process is writing or removing them.
    this.#purge = {
      text: `DELETE FROM ${s}.entries WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM ${s}.entries WHERE expires_at <= $1::bigint
        ORDER BY expires_at LIMIT $2::bigint FOR UPDATE SKIP LOCKED)) RETURNING 1`,
    };
  }

  async find(db: Database, kind: string, id: string, now: number): Promise<StoredEntry | null> {
    const [row] = await db.run(this.#find, [kind, id, now]);
    return row === undefined ? null : toEntry(row);
  }

  async put(db: Database, entry: StoredEntry, expectedVersion: number, now: number): Promise<boolean> {
    const { kind, id, value, expiresAt, version } = entry;
    const values = [kind, id, value, expiresAt, version, now];
    if (expectedVersion > 0) return (await db.run(this.#replace, [...values, expectedVersion])).length > 0;
    const isWritten = (await db.run(this.#insert, values)).length > 0;
    if (isWritten && this.#inserted++ % NEW_ENTRIES_PER_PURGE === 0) {
      // A failure here doesn't undo the write. A later write removes them.
      await this.trim(db, now, PURGED_AT_ONCE).catch(() => {});
    }
    return isWritten;
  }

  async trim(db: Database, now: number, limit: number): Promise<number> {
    return (await db.run(this.#purge, [now - PURGED_AFTER, limit])).length;
  }

  async delete(db: Database, kind: string, id: string, expectedVersion: number, now: number): Promise<boolean> {
    return (await db.run(this.#delete, [kind, id, now, expectedVersion])).length > 0;
  }
}
