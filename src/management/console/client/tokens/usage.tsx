import type { DailyUse, Token } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { DayChart } from '../parts/chart.js';
import { Failed, Loading, Section } from '../parts/page.js';
import { useRead } from '../use-read.js';
import { readDays, SHOWN_DAYS, shownDays } from './calls.js';

/** The sums of some uses under each name. */
export function sumBy(
  uses: readonly DailyUse[],
  namesOf: (use: DailyUse) => readonly string[],
): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const use of uses) for (const name of namesOf(use)) sums.set(name, (sums.get(name) ?? 0) + use.count);
  return sums;
}

/** A chart of the last days, those without use included. */
export function Days({ uses }: { readonly uses: readonly DailyUse[] }) {
  if (uses.length === 0) return <p class="hint">{t('usage.none', { count: SHOWN_DAYS })}</p>;
  const sums = sumBy(uses, ({ day }) => [day]);
  const days = shownDays().map((day) => ({ day, count: sums.get(day) ?? 0 }));
  return <DayChart label={t('usage.days')} days={days} />;
}

export function TokenDays({ token }: { readonly token: Token }) {
  const read = useRead((signal) => readDays(token, signal), [token.uid]);
  return (
    <Section title={t('usage.days')}>
      {read.state === 'loading' && <Loading />}
      {read.state === 'failed' && <Failed error={read.error} retry={read.again} />}
      {read.state === 'read' && <Days uses={read.value} />}
    </Section>
  );
}
