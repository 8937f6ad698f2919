import type { DailyCount, Usage } from '../ports/records.js';

type Count = { -readonly [Key in keyof DailyCount]: DailyCount[Key] };

/** The uses of a token since the last batch. Most tokens are used in one way only, which is found without a map. */
export class Uses {
  lastUsedAt = 0;
  /** The number of counts. */
  size = 0;
  #latest: Count | null = null;
  /** One for each day, by endpoint and scopes. */
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
    // Neither has a line break. Callers can choose among many scopes, so they are no list to look through.
    const key = `${endpoint}\n${scope}`;
    const some = this.#counts.get(key) ?? [];
    const known = some.find((each) => each.day === day);
    if (known !== undefined) {
      known.count += count;
      this.#latest = known;
      return false;
    }
    if (!mayGrow) return false;
    this.#latest = { day, endpoint, scope, count };
    some.push(this.#latest);
    this.#counts.set(key, some);
    this.size++;
    return true;
  }

  /** The same uses in parts that have at most so many counts. */
  parts(most: number): readonly Uses[] {
    if (this.size <= most) return [this];
    const parts: Uses[] = [];
    for (const { day, endpoint, scope, count } of this.counts()) {
      let last = parts.at(-1);
      if (last === undefined || last.size === most) {
        last = new Uses(this.tokenId);
        parts.push(last);
      }
      last.add(day, endpoint, scope, count, this.lastUsedAt, true);
    }
    return parts;
  }

  counts(): Usage['counts'] {
    return [...this.#counts.values()].flat();
  }
}
