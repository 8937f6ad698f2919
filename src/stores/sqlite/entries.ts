import type { StoredEntry } from '../../ports/records.js';
import { ENTRY_COLUMNS, toEntry } from '../sql/rows.js';
import type { Connection } from './connection.js';

/**
 * How long an entry stays in the file after its end, in milliseconds. Processes that share a file may have different clocks: an
 * entry that has ended for one may still be valid for another.
 */
const KEPT_AFTER_END = 60_000;

/** The most ended entries that a write removes. It is more than a write adds, so they never pile up. */
const PURGED_BY_WRITE = 8;

export const FIND_ENTRY = `SELECT ${ENTRY_COLUMNS} FROM entries
  WHERE kind = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)`;

const BEGIN_ENTRY = `INSERT INTO entries (kind, id, value, expires_at, version) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (kind, id) DO UPDATE
    SET value = excluded.value, expires_at = excluded.expires_at, version = excluded.version
    WHERE entries.expires_at <= ?`;

export const REPLACE_ENTRY = `UPDATE entries SET value = ?, expires_at = ?, version = ?
  WHERE kind = ? AND id = ? AND version = ? AND (expires_at IS NULL OR expires_at > ?)`;

export const DELETE_ENTRY = `DELETE FROM entries
  WHERE kind = ? AND id = ? AND version = ? AND (expires_at IS NULL OR expires_at > ?)`;

export const PURGE_ENTRIES = `DELETE FROM entries WHERE rowid IN
  (SELECT rowid FROM entries WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`;

export function findEntry(db: Connection, kind: string, id: string, now: number): StoredEntry | null {
  const row = db.get(FIND_ENTRY, kind, id, now);
  return row === undefined ? null : toEntry(row);
}

/** In a transaction. `false`: roll back. */
export function putEntry(db: Connection, entry: StoredEntry, expectedVersion: number, now: number): boolean {
  const { kind, id, value, expiresAt, version } = entry;
  const written =
    expectedVersion === 0
      ? db.run(BEGIN_ENTRY, kind, id, value, expiresAt, version, now)
      : db.run(REPLACE_ENTRY, value, expiresAt, version, kind, id, expectedVersion, now);
  if (written === 0) return false;
  trimEntries(db, now, PURGED_BY_WRITE);
  return true;
}

/** In a transaction. `false`: roll back. */
export function deleteEntry(db: Connection, kind: string, id: string, expectedVersion: number, now: number): boolean {
  return db.run(DELETE_ENTRY, kind, id, expectedVersion, now) > 0;
}

/** In a transaction. */
export function trimEntries(db: Connection, now: number, limit: number): number {
  return db.run(PURGE_ENTRIES, now - KEPT_AFTER_END, limit);
}
