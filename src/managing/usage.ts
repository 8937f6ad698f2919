import { check } from '../base/check.js';
import { dayOf, dayText, firstKept } from '../base/days.js';
import type { Ground } from '../base/ground.js';
import { PosternError } from '../domain/errors.js';
import type { DailyCount } from '../ports/records.js';
import type { DailyUsageQuery } from '../ports/store.js';
import type { Authority } from './authority.js';
import { usageInput } from './inputs.js';

/** The most counts that one call of the store returns, and that one call of ours returns. */
const PART = 1_000;
const MOST = 100_000;

/** Uses on one day, for one endpoint and the same scopes. */
export interface DailyUsage {
  /** In UTC: `2026-01-31`. */
  readonly day: string;
  /** `null`: calls without an endpoint. */
  readonly endpoint: string | null;
  /** The scopes that the calls needed, all of them in each call. Empty: none. */
  readonly scopes: readonly string[];
  readonly count: number;
}

/** Days, both included. Default: the last 90. */
export interface UsageDays {
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
}

/** The days of an organization's usage. */
export interface UsageQuery extends UsageDays {
  /** Default: the instance's own. */
  readonly organization?: string | undefined;
}

/** `postern.usage`. */
export interface UsageReport {
  /**
   * The uses of all tokens of an organization, of those deleted since too, by day, endpoint and scopes. They are kept for 90 days,
   * and at most one flush interval late.
   *
   * @throws PosternError `input_invalid` (also for more than 100,000 counts: ask for fewer days), `option_unknown`, `unavailable`
   */
  usage(query?: UsageQuery): Promise<readonly DailyUsage[]>;
}

export function createUsageReport(ground: Ground, authority: Authority): UsageReport {
  return {
    async usage(query = {}) {
      const given = check(usageInput, query, 'usage', 'input_invalid');
      return readDays(ground, { organization: authority.organization(given.organization) }, given);
    },
  };
}

/** @throws PosternError `input_invalid` */
export async function readDays(
  { store, time }: Ground,
  of: DailyUsageQuery['of'],
  days: UsageDays,
): Promise<readonly DailyUsage[]> {
  const today = dayOf(time.read());
  const to = days.to === undefined ? today : dayOf(days.to.getTime());
  const from = Math.max(firstKept(today), days.from === undefined ? 0 : dayOf(days.from.getTime()));
  const found: DailyUsage[] = [];
  let after: DailyCount | undefined;
  for (;;) {
    const part: readonly DailyCount[] = await store.listDailyUsage({ of, from, to, after, limit: PART });
    for (const each of part) found.push(toUsage(each));
    if (part.length < PART) return found;
    if (found.length >= MOST) throw tooMany();
    after = part.at(-1);
  }
}

function toUsage({ day, endpoint, scope, count }: DailyCount): DailyUsage {
  return {
    day: dayText(day),
    endpoint: endpoint === '' ? null : endpoint,
    scopes: scope === '' ? [] : scope.split(' '),
    count,
  };
}

function tooMany(): PosternError {
  return new PosternError('input_invalid', `has more than ${MOST} counts: ask for fewer days`, { path: 'from' });
}
