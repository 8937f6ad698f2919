import type { Usage, UsageCount } from '../../ports/records.js';
import { toUsageCount } from '../sql/rows.js';
import type { Connection } from './connection.js';

const MOVE = 'UPDATE tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)';

const ADD = `INSERT INTO uses (token, endpoint, count, last_used_at) SELECT seq, ?, ?, ? FROM tokens WHERE id = ?
  ON CONFLICT (token, endpoint) DO UPDATE SET
    count = count + excluded.count, last_used_at = max(last_used_at, excluded.last_used_at)`;

/** In a transaction. Both statements skip a token that is gone. */
export function recordUsage(db: Connection, usages: readonly Usage[]): void {
  for (const { tokenId, lastUsedAt, counts } of usages) {
    db.run(MOVE, lastUsedAt, tokenId, lastUsedAt);
    for (const { endpoint, count } of counts) db.run(ADD, endpoint, count, lastUsedAt, tokenId);
  }
}

/** All ids are one JSON parameter, so the statement is the same for any number of them. */
export const LIST_USAGE = `SELECT t.id AS "tokenId", u.endpoint, u.count, u.last_used_at AS "lastUsedAt"
  FROM json_each(?) asked JOIN tokens t ON t.id = asked.value JOIN uses u ON u.token = t.seq`;

export function listUsage(
  db: Connection,
  tokenIds: readonly string[],
  endpoint: string | undefined,
): readonly UsageCount[] {
  const [only, ...of] = endpoint === undefined ? [''] : [' WHERE u.endpoint = ?', endpoint];
  // Ids of endpoints are ASCII, so SQLite's order by bytes is the order by code unit.
  return db.all(`${LIST_USAGE}${only} ORDER BY t.id, u.endpoint`, JSON.stringify(tokenIds), ...of).map(toUsageCount);
}
