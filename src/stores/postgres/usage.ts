import type { DailyCount, Usage, UsageCount } from '../../ports/records.js';
import type { DailyUsageQuery } from '../../ports/store.js';
import { toDailyCount, toUsageCount } from '../sql/rows.js';
import type { Database, Statement } from './database.js';

export class UsageStatements {
  readonly #record: Statement;
  readonly #list: Statement;
  readonly #ofToken: Statement;
  readonly #ofOrganization: Statement;
  readonly #trim: Statement;

  constructor(s: string) {
    // Each part adds its rows in one order, organizations too, which batches of other tokens share.
    // `held` locks the tokens in one order, so that concurrent batches never deadlock. Locked tokens can't be deleted. Tokens that
    // are gone are not in it.
    this.#record = {
      text: `WITH batch AS (
          SELECT b.id, max(b.last_used_at) AS last_used_at
          FROM unnest($1::text[], $2::bigint[]) AS b (id, last_used_at) GROUP BY b.id),
        held AS MATERIALIZED (
          SELECT t.seq, t.id, t.organization FROM ${s}.tokens t WHERE t.id IN (SELECT b.id FROM batch b)
          ORDER BY t.id FOR NO KEY UPDATE),
        moved AS (
          UPDATE ${s}.tokens t SET last_used_at = b.last_used_at FROM held h JOIN batch b ON b.id = h.id
          WHERE t.seq = h.seq AND (t.last_used_at IS NULL OR t.last_used_at < b.last_used_at)),
        counts AS MATERIALIZED (
          SELECT h.seq, h.organization, c.day, c.endpoint, c.scope, c.count, c.last_used_at
          FROM unnest($3::text[], $4::integer[], $5::text[], $6::text[], $7::bigint[], $8::bigint[])
            AS c (id, day, endpoint, scope, count, last_used_at)
          JOIN held h ON h.id = c.id),
        of_tokens AS (
          INSERT INTO ${s}.token_days AS d (token, day, endpoint, scope, count)
            SELECT seq, day, endpoint, scope, sum(count) FROM counts GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
          ON CONFLICT (token, day, endpoint, scope) DO UPDATE SET count = d.count + excluded.count),
        of_organizations AS (
          INSERT INTO ${s}.organization_days AS d (organization, day, endpoint, scope, count)
            SELECT organization, day, endpoint, scope, sum(count) FROM counts GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
          ON CONFLICT (organization, day, endpoint, scope) DO UPDATE SET count = d.count + excluded.count)
        INSERT INTO ${s}.uses AS u (token, endpoint, count, last_used_at)
          SELECT seq, endpoint, sum(count), max(last_used_at) FROM counts GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (token, endpoint) DO UPDATE SET
          count = u.count + excluded.count, last_used_at = greatest(u.last_used_at, excluded.last_used_at)`,
    };
    this.#list = {
      text: `SELECT t.id AS "tokenId", u.endpoint, u.count, u.last_used_at AS "lastUsedAt"
        FROM ${s}.tokens t JOIN ${s}.uses u ON u.token = t.seq
        WHERE t.id = ANY ($1::text[]) AND ($2::text IS NULL OR u.endpoint = $2::text) ORDER BY t.id, u.endpoint`,
    };
    const daily = (source: string, subject: string): Statement => ({
      text: `SELECT d.day, d.endpoint, d.scope, d.count FROM ${source}
        WHERE ${subject} = $1 AND d.day BETWEEN $2 AND $3 AND (d.day, d.endpoint, d.scope) > ($4, $5, $6)
        ORDER BY d.day, d.endpoint, d.scope LIMIT $7`,
    });
    this.#ofToken = daily(`${s}.tokens t JOIN ${s}.token_days d ON d.token = t.seq`, 't.id');
    this.#ofOrganization = daily(`${s}.organization_days d`, 'd.organization');
    this.#trim = {
      text: `WITH old_tokens AS (
          DELETE FROM ${s}.token_days WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM ${s}.token_days WHERE day < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1),
        old_organizations AS (
          DELETE FROM ${s}.organization_days WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM ${s}.organization_days WHERE day < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)) RETURNING 1)
        SELECT greatest((SELECT count(*) FROM old_tokens), (SELECT count(*) FROM old_organizations)) AS trimmed`,
    };
  }

  async record(db: Database, usages: readonly Usage[]): Promise<void> {
    if (usages.length === 0) return;
    const counts = usages.flatMap(({ tokenId, lastUsedAt, counts: each }) =>
      each.map((count) => ({ tokenId, lastUsedAt, ...count })),
    );
    await db.run(this.#record, [
      usages.map(({ tokenId }) => tokenId),
      usages.map(({ lastUsedAt }) => lastUsedAt),
      counts.map(({ tokenId }) => tokenId),
      counts.map(({ day }) => day),
      counts.map(({ endpoint }) => endpoint),
      counts.map(({ scope }) => scope),
      counts.map(({ count }) => count),
      counts.map(({ lastUsedAt }) => lastUsedAt),
    ]);
  }

  async listDaily(db: Database, query: DailyUsageQuery): Promise<readonly DailyCount[]> {
    const { of, from, to, after, limit } = query;
    const [statement, subject] = 'token' in of ? [this.#ofToken, of.token] : [this.#ofOrganization, of.organization];
    const { day, endpoint, scope } = after ?? { day: from - 1, endpoint: '', scope: '' };
    return (await db.run(statement, [subject, Math.max(from, day), to, day, endpoint, scope, limit])).map(toDailyCount);
  }

  async trimDaily(db: Database, before: number, limit: number): Promise<boolean> {
    const [row] = await db.run(this.#trim, [before, limit]);
    return Number(row?.trimmed) === limit;
  }

  async list(db: Database, tokenIds: readonly string[], endpoint: string | undefined): Promise<readonly UsageCount[]> {
    return (await db.run(this.#list, [tokenIds, endpoint ?? null])).map(toUsageCount);
  }
}
