import type { DailyCount, Usage, UsageCount } from '../../ports/records.js';
import type { DailyUsageQuery } from '../../ports/store.js';

/** The counts of uses: in total by token and endpoint, and daily by token and by organization. */
export class MemoryUsage {
  readonly #totals = new Map<string, Map<string, UsageCount>>();
  readonly #daily = new Map<string, Map<string, DailyCount>>();

  add({ tokenId, lastUsedAt, counts }: Usage, organization: string): void {
    const totals = this.#totals.get(tokenId) ?? new Map<string, UsageCount>();
    this.#totals.set(tokenId, totals);
    for (const each of counts) {
      const { endpoint, count } = each;
      const before = totals.get(endpoint);
      totals.set(endpoint, {
        tokenId,
        endpoint,
        count: count + (before?.count ?? 0),
        lastUsedAt: Math.max(lastUsedAt, before?.lastUsedAt ?? lastUsedAt),
      });
      this.#addDaily(keyOf({ token: tokenId }), each);
      this.#addDaily(keyOf({ organization }), each);
    }
  }

  #addDaily(subject: string, { day, endpoint, scope, count }: DailyCount): void {
    const counts = this.#daily.get(subject) ?? new Map<string, DailyCount>();
    this.#daily.set(subject, counts);
    const key = JSON.stringify([day, endpoint, scope]);
    counts.set(key, { day, endpoint, scope, count: count + (counts.get(key)?.count ?? 0) });
  }

  list(tokenIds: readonly string[], endpoint: string | undefined): readonly UsageCount[] {
    return tokenIds.flatMap((tokenId) =>
      [...(this.#totals.get(tokenId)?.values() ?? [])]
        .filter((count) => endpoint === undefined || count.endpoint === endpoint)
        .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1)),
    );
  }

  listDaily({ of, from, to, after, limit }: DailyUsageQuery): readonly DailyCount[] {
    return [...(this.#daily.get(keyOf(of))?.values() ?? [])]
      .filter((count) => count.day >= from && count.day <= to && (after === undefined || compare(count, after) > 0))
      .sort(compare)
      .slice(0, limit);
  }

  trimDaily(before: number, limit: number): boolean {
    let left = limit;
    for (const [subject, counts] of this.#daily) {
      for (const [key, { day }] of counts) {
        if (day >= before) continue;
        if (left-- === 0) return true;
        counts.delete(key);
      }
      if (counts.size === 0) this.#daily.delete(subject);
    }
    return false;
  }

  delete(tokenId: string): void {
    this.#totals.delete(tokenId);
    this.#daily.delete(keyOf({ token: tokenId }));
  }
}

function keyOf(of: DailyUsageQuery['of']): string {
  return JSON.stringify('token' in of ? ['token', of.token] : ['organization', of.organization]);
}

function compare(a: DailyCount, b: DailyCount): number {
  if (a.day !== b.day) return a.day - b.day;
  if (a.endpoint !== b.endpoint) return a.endpoint < b.endpoint ? -1 : 1;
  return a.scope === b.scope ? 0 : a.scope < b.scope ? -1 : 1;
}
