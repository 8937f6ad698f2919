import type { DailyCount, Usage, UsageCount } from '../../ports/records.js';
import type { DailyUsageQuery } from '../../ports/store.js';
import { toDailyCount, toUsageCount } from '../sql/rows.js';
import type { Connection } from './connection.js';

const FIND = `SELECT t.id, t.seq, t.organization FROM json_each(?) asked JOIN tokens t ON t.id = asked.value`;

const MOVE = 'UPDATE tokens SET last_used_at = ? WHERE seq = ? AND (last_used_at IS NULL OR last_used_at < ?)';

const ADD = `INSERT INTO uses (token, endpoint, count, last_used_at) VALUES (?, ?, ?, ?)
  ON CONFLICT (token, endpoint) DO UPDATE SET
    count = count + excluded.count, last_used_at = max(last_used_at, excluded.last_used_at)`;

const addDaily = (table: string, subject: string) => `INSERT INTO ${table} (${subject}, day, endpoint, scope, count)
  VALUES (?, ?, ?, ?, ?) ON CONFLICT (${subject}, day, endpoint, scope) DO UPDATE SET count = count + excluded.count`;

const ADD_TO_TOKEN = addDaily('token_days', 'token');
const ADD_TO_ORGANIZATION = addDaily('organization_days', 'organization');

/** In a transaction. Tokens that are gone are skipped. The counts of organizations are added up first: they have few rows. */
export function recordUsage(db: Connection, usages: readonly Usage[]): void {
  const ids = JSON.stringify(usages.map(({ tokenId }) => tokenId));
  const known = new Map(db.all(FIND, ids).map((row) => [row.id, row]));
  const organizations = new Map<string, { readonly organization: string; readonly day: DailyCount; count: number }>();
  for (const { tokenId, lastUsedAt, counts } of usages) {
    const row = known.get(tokenId);
    if (row === undefined) continue;
    const seq = row.seq as number;
    const organization = row.organization as string;
    db.run(MOVE, lastUsedAt, seq, lastUsedAt);
    for (const each of counts) {
      const { day, endpoint, scope, count } = each;
      db.run(ADD, seq, endpoint, count, lastUsedAt);
      db.run(ADD_TO_TOKEN, seq, day, endpoint, scope, count);
      const key = JSON.stringify([organization, day, endpoint, scope]);
      const sum = organizations.get(key) ?? { organization, day: each, count: 0 };
      sum.count += count;
      organizations.set(key, sum);
    }
  }
  for (const { organization, day, count } of organizations.values()) {
    db.run(ADD_TO_ORGANIZATION, organization, day.day, day.endpoint, day.scope, count);
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

const listDaily = (source: string, subject: string) => `SELECT d.day, d.endpoint, d.scope, d.count FROM ${source}
  WHERE ${subject} = ? AND d.day BETWEEN ? AND ? AND (d.day, d.endpoint, d.scope) > (?, ?, ?)
  ORDER BY d.day, d.endpoint, d.scope LIMIT ?`;

export const LIST_OF_TOKEN = listDaily('tokens t JOIN token_days d ON d.token = t.seq', 't.id');
export const LIST_OF_ORGANIZATION = listDaily('organization_days d', 'd.organization');

export function listDailyUsage(db: Connection, query: DailyUsageQuery): readonly DailyCount[] {
  const { of, from, to, after, limit } = query;
  const [sql, subject] = 'token' in of ? [LIST_OF_TOKEN, of.token] : [LIST_OF_ORGANIZATION, of.organization];
  const { day, endpoint, scope } = after ?? { day: from - 1, endpoint: '', scope: '' };
  return db.all(sql, subject, Math.max(from, day), to, day, endpoint, scope, limit).map(toDailyCount);
}

const trim = (table: string, key: string) => `DELETE FROM ${table} WHERE (${key}) IN
  (SELECT ${key} FROM ${table} WHERE day < ? LIMIT ?)`;

export const TRIM_TOKENS = trim('token_days', 'token, day, endpoint, scope');
export const TRIM_ORGANIZATIONS = trim('organization_days', 'organization, day, endpoint, scope');

/** In a transaction. Returns the number. */
export function trimDailyUsage(db: Connection, before: number, limit: number): number {
  const trimmed = db.run(TRIM_TOKENS, before, limit);
  return trimmed < limit ? trimmed + db.run(TRIM_ORGANIZATIONS, before, limit - trimmed) : trimmed;
}
