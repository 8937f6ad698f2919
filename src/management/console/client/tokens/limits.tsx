import type { LimitStanding, TokenDetail } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { Section } from '../parts/page.js';
import { fromNow, inLife } from '../words.js';

/** The limits of a token, what is left of them, and when they are full again. */
export function Limits({ token: { limits } }: { readonly token: TokenDetail }) {
  return (
    <Section title={t('limits.title')}>
      {limits === null && <p class="hint">{t('limits.unknown')}</p>}
      {limits?.length === 0 && <p class="hint">{t('limits.none')}</p>}
      {limits?.map((limit) => (
        <Standing key={limit.policy} limit={limit} />
      ))}
    </Section>
  );
}

function Standing({ limit: { policy, points, duration, remaining, resets_at } }: { readonly limit: LimitStanding }) {
  const label = t(policy === 'rate' ? 'limits.rate' : 'limits.quota', { count: points, time: inLife(duration) });
  const left = t('limits.left', { count: remaining });
  return (
    <div class="limit">
      <p>{label}</p>
      <progress max={points} value={remaining} aria-label={label} />
      <p class="hint">
        {resets_at === null ? left : `${left}, ${t('limits.resets', { relative: fromNow(new Date(resets_at)) })}`}
      </p>
    </div>
  );
}
