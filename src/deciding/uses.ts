import type { DailyCount, Usage } from '../ports/records.js';

type Count = { -readonly [Key in keyof DailyCount]: DailyCount[Key] };

/** The uses of a token since the last batch. Most tokens are used in one way only, which is found without a map. */
export class Uses {
  lastUsedAt = 0;
  /** The number of counts. */
  size = 0;
  #latest: Count | null = null;
  readonly #counts = new Map<string, Count[]>();

  constructor(readonly tokenId: string) {}

  /** @param mayGrow `false`: uses that no count is kept for yet are not counted. Returns whether a count was added */
  add(day: number, endpoint: string, scope: string, count: number, now: number, mayGrow: boolean): boolean {
    if (now > this.lastUsedAt) this.lastUsedAt = now;
    const latest = this.#latest;
    if (latest !== null && latest.scope === scope && latest.endpoint === endpoint && latest.day === day) {
      latest.count += count;
      return false;
    }
    const some = this.#counts.get(endpoint) ?? [];
    const known = some.find((each) => each.scope === scope && each.day === day);
    if (known !== undefined) {
      known.count += count;
      this.#latest = known;
      return false;
    }
    if (!mayGrow) return false;
    this.#latest = { day, endpoint, scope, count };
    some.push(this.#latest);
    this.#counts.set(endpoint, some);
    this.size++;
    return true;
  }

  counts(): Usage['counts'] {
    return [...this.#counts.values()].flat();
  }
}
