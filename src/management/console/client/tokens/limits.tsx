import { useState } from 'preact/hooks';
import { escapeInvisible } from '../../../../domain/text.js';
import type { LimitStanding } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { ProblemOf } from '../parts/form.js';
import { Section } from '../parts/page.js';
import { announce } from '../parts/status.js';
import { mayManage } from '../session.js';
import { fromNow, inLife } from '../words.js';
import { resetLimits, type TokenDetail } from './calls.js';

/** The limits of a token, what is left of them, and when they are full again. */
export function Limits({ token, again }: { readonly token: TokenDetail; readonly again: () => void }) {
  const { session } = usePage();
  const [error, setError] = useState<unknown>(null);
  const { limits } = token;

  async function fill(): Promise<void> {
    setError(null);
    try {
      await resetLimits(token);
      announce(t('limits.filled', { name: escapeInvisible(token.name) }));
      again();
    } catch (failure) {
      setError(failure);
    }
  }

  const isUsed = limits?.some(({ remaining, points }) => remaining < points);
  return (
    <Section title={t('limits.title')}>
      {limits === null && <p class="hint">{t('limits.unknown')}</p>}
      {limits?.length === 0 && <p class="hint">{t('limits.none')}</p>}
      {limits?.map((limit) => (
        <Standing key={limit.policy} limit={limit} />
      ))}
      {isUsed && mayManage(session, token) && <Button onClick={() => void fill()}>{t('limits.fill')}</Button>}
      {error !== null && (
        <div class="problem" role="alert">
          <ProblemOf error={error} />
        </div>
      )}
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
