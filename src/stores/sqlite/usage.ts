import type { Usage, UsageCount } from '../../ports/records.js';
import { toUsageCount } from '../sql/rows.js';
import type { Connection } from './connection.js';

const MOVE = 'UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)';

const ADD = `INSERT INTO uses (token, endpoint, count, last_used_at) SELECT seq, ?, ?, ? FROM tokens WHERE id = ?
  ON CONFLICT (token, endpoint) DO UPDATE SET
    count = count + excluded.count, last_used_at = max(last_used_at, excluded.last_used_at)`;

/** In a transaction. Both statements pass over a token that is gone. */
export function recordUsage(db: Connection, usages: readonly Usage[]): void {
  for (const { tokenId, lastUsedAt, counts } of usages) {
    db.run(MOVE, lastUsedAt, tokenId, lastUsedAt);
    for (const { endpoint, count } of counts) db.run(ADD, endpoint, count, lastUsedAt, tokenId);
  }
}

export function listUsage(db: Connection, tokenId: string): readonly UsageCount[] {
  // SQLite's order by bytes is that of code units here: endpoints' ids are ASCII.
  return db
    .all(
      `SELECT u.endpoint, u.count, u.last_used_at AS "lastUsedAt" FROM uses u JOIN tokens t ON t.seq = u.token
       WHERE t.id = ? ORDER BY u.endpoint`,
      tokenId,
    )
    .map((row) => toUsageCount(tokenId, row));
}
