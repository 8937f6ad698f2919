import type { Usage, UsageCount } from '../../ports/records.js';
import { toUsageCount } from '../sql/rows.js';
import type { Database, Statement } from './database.js';

export class UsageStatements {
  readonly #record: Statement;
  readonly #list: Statement;

  constructor(s: string) {
    // `held` locks the tokens in one order, so that concurrent batches never deadlock. Locked tokens can't be deleted. Tokens that
    // are gone are not in it.
    this.#record = {
      text: `WITH batch AS (
          SELECT b.id, max(b.last_used_at) AS last_used_at
          FROM unnest($1::text[], $2::bigint[]) AS b (id, last_used_at) GROUP BY b.id),
        held AS MATERIALIZED (
          SELECT t.seq, t.id FROM ${s}.tokens t WHERE t.id IN (SELECT b.id FROM batch b)
          ORDER BY t.id FOR NO KEY UPDATE),
        moved AS (
          UPDATE ${s}.tokens t SET last_used_at = b.last_used_at FROM held h JOIN batch b ON b.id = h.id
          WHERE t.seq = h.seq AND (t.last_used_at IS NULL OR t.last_used_at < b.last_used_at))
        INSERT INTO ${s}.uses AS u (token, endpoint, count, last_used_at)
          SELECT h.seq, c.endpoint, sum(c.count), max(c.last_used_at)
          FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[]) AS c (id, endpoint, count, last_used_at)
          JOIN held h ON h.id = c.id
          GROUP BY h.seq, c.endpoint ORDER BY 1, 2
        ON CONFLICT (token, endpoint) DO UPDATE SET
          count = u.count + excluded.count, last_used_at = greatest(u.last_used_at, excluded.last_used_at)`,
    };
    this.#list = {
      text: `SELECT t.id AS "tokenId", u.endpoint, u.count, u.last_used_at AS "lastUsedAt"
        FROM ${s}.tokens t JOIN ${s}.uses u ON u.token = t.seq
        WHERE t.id = ANY ($1::text[]) AND ($2::text IS NULL OR u.endpoint = $2::text) ORDER BY t.id, u.endpoint`,
    };
  }

  async record(db: Database, usages: readonly Usage[]): Promise<void> {
    if (usages.length === 0) return;
    const counts = usages.flatMap(({ tokenId, lastUsedAt, counts: each }) =>
      each.map(({ endpoint, count }) => ({ tokenId, endpoint, count, lastUsedAt })),
    );
    await db.run(this.#record, [
      usages.map(({ tokenId }) => tokenId),
      usages.map(({ lastUsedAt }) => lastUsedAt),
      counts.map(({ tokenId }) => tokenId),
      counts.map(({ endpoint }) => endpoint),
      counts.map(({ count }) => count),
      counts.map(({ lastUsedAt }) => lastUsedAt),
    ]);
  }

  async list(db: Database, tokenIds: readonly string[], endpoint: string | undefined): Promise<readonly UsageCount[]> {
    return (await db.run(this.#list, [tokenIds, endpoint ?? null])).map(toUsageCount);
  }
}
