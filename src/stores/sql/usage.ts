import type { Usage } from '../../ports/records.js';
import type { DailyUsageQuery } from '../../ports/store.js';
import type { Dialect } from './dialect.js';
import type { SqlStatement } from './driver.js';

const DAYS = {
  token_days: 'token, day, endpoint, scope',
  organization_days: 'organization, day, endpoint, scope',
} as const;

export class UsageStatements {
  readonly #dialect: Dialect;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** Tokens that are gone are skipped. */
  record(usages: readonly Usage[]): readonly SqlStatement[] {
    const dialect = this.#dialect;
    const counts = usages.flatMap(({ tokenId, lastUsedAt, counts: each }) =>
      each.map(({ day, endpoint, scope, count }) => {
        return { id: tokenId, day, endpoint, scope, added: whole(count), used_at: lastUsedAt };
      }),
    );
    const latest = new Map<string, number>();
    for (const { tokenId, lastUsedAt } of usages) {
      latest.set(tokenId, Math.max(lastUsedAt, latest.get(tokenId) ?? lastUsedAt));
    }
    const values = {
      tokens: JSON.stringify([...latest].map(([id, used_at]) => ({ id, used_at }))),
      counts: JSON.stringify(counts),
    };
    const tokens = dialect.table('tokens');
    const batch = dialect.records(':tokens', { id: 'text', used_at: 'integer' });
    // The tokens are locked in one order, so that concurrent batches never deadlock. Locked tokens can't be deleted.
    const held = `SELECT seq, id, organization FROM ${tokens}
      WHERE id IN (SELECT id FROM ${batch} asked) ORDER BY id ${dialect.lock}`;
    if (dialect.isOneStatement) {
      const parts = this.#additions('held').map((sql, index) => `, part${index} AS (${sql})`);
      const sql = `WITH held AS MATERIALIZED (${held})${parts.join('')} SELECT 1`;
      return [dialect.statement(sql, values)];
    }
    const all = [...(dialect.lock === '' ? [] : [held]), ...this.#additions(tokens)];
    return all.map((sql) => dialect.statement(sql, values));
  }

  list(tokenIds: readonly string[], endpoint: string | undefined): SqlStatement {
    const asked = this.#dialect.records(':ids', { id: 'text' });
    const only = endpoint === undefined ? '' : ` WHERE ${this.#dialect.is('u.endpoint', ':endpoint')}`;
    const sql = `SELECT t.id AS "tokenId", u.endpoint, u.count, u.last_used_at AS "lastUsedAt"
      FROM ${asked} asked JOIN ${this.#dialect.table('tokens')} t ON t.id = asked.id
      JOIN ${this.#dialect.table('uses')} u ON u.token = t.seq${only} ORDER BY t.id, u.endpoint`;
    const ids = JSON.stringify([...new Set(tokenIds)].map((id) => ({ id })));
    return this.#dialect.statement(sql, { ids, endpoint: endpoint ?? null });
  }

  listDaily({ of, from, to, after, limit }: DailyUsageQuery): SqlStatement {
    const [source, isOf, subject] =
      'token' in of
        ? [
            `${this.#dialect.table('tokens')} t JOIN ${this.#dialect.table('token_days')} d ON d.token = t.seq`,
            't.id = :subject',
            of.token,
          ]
        : [
            `${this.#dialect.table('organization_days')} d`,
            this.#dialect.is('d.organization', ':subject'),
            of.organization,
          ];
    const position = after ?? { day: from - 1, endpoint: '', scope: '' };
    const isAfter = this.#dialect.compare(['d.day', 'd.endpoint', 'd.scope'], '>', ['#day', ':endpoint', ':scope']);
    const sql = `SELECT d.day, d.endpoint, d.scope, d.count FROM ${source}
      WHERE ${isOf} AND d.day BETWEEN #first AND #to AND ${isAfter} ORDER BY d.day, d.endpoint, d.scope LIMIT #limit`;
    const { day, endpoint, scope } = position;
    return this.#dialect.statement(sql, { subject, first: Math.max(from, day), to, day, endpoint, scope, limit });
  }

  trimDaily(table: keyof typeof DAYS, before: number, limit: number): SqlStatement {
    const old = { table: this.#dialect.table(table), key: DAYS[table], where: 'day < #before', limit: '#limit' };
    return this.#dialect.statement(this.#dialect.deleteSome(old), { before, limit });
  }

  /** Each adds its rows in one order, which batches of other tokens share. */
  #additions(held: string): readonly string[] {
    const dialect = this.#dialect;
    const batch = dialect.records(':tokens', { id: 'text', used_at: 'integer' });
    const counts = dialect.records(':counts', {
      id: 'text',
      day: 'integer',
      endpoint: 'text',
      scope: 'text',
      added: 'integer',
      used_at: 'integer',
    });
    const from = `FROM ${counts} c JOIN ${held} h ON h.id = c.id`;
    const daily = (table: keyof typeof DAYS, subject: string) =>
      dialect.add({
        table: dialect.table(table),
        columns: [...DAYS[table].split(', '), 'count'],
        select: `SELECT ${subject}, c.day, c.endpoint, c.scope, sum(c.added) ${from} GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4`,
        key: DAYS[table].split(', '),
        sets: (there, added) => ({ count: `${there('count')} + ${added('count')}` }),
      });
    return [
      // Forward, never back.
      dialect.updateTokens(
        batch,
        'last_used_at',
        'given.used_at',
        'there.id = given.id AND (there.last_used_at IS NULL OR there.last_used_at < given.used_at)',
      ),
      dialect.add({
        table: dialect.table('uses'),
        columns: ['token', 'endpoint', 'count', 'last_used_at'],
        select: `SELECT h.seq, c.endpoint, sum(c.added), max(c.used_at) ${from} GROUP BY 1, 2 ORDER BY 1, 2`,
        key: ['token', 'endpoint'],
        sets: (there, added) => ({
          count: `${there('count')} + ${added('count')}`,
          last_used_at: `CASE WHEN ${there('last_used_at')} > ${added('last_used_at')}
            THEN ${there('last_used_at')} ELSE ${added('last_used_at')} END`,
        }),
      }),
      daily('token_days', 'h.seq'),
      daily('organization_days', 'h.organization'),
    ];
  }
}

function whole(count: number): number {
  if (!Number.isSafeInteger(count)) throw new TypeError('a count is no integer');
  return count;
}
