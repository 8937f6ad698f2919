import { TOKEN_STATES, type TokenState } from '../../../../domain/token-state.js';
import { type Judged, stateOf } from '../../../wire/token-state.js';
import { t } from '../i18n.js';
import { Badge, type Tone } from '../parts/badge.js';

export { TOKEN_STATES, type TokenState };

const TONES: Readonly<Record<TokenState, Tone>> = {
  active: 'active',
  expiring: 'warning',
  idle: 'idle',
  expired: 'ended',
  revoked: 'danger',
};

export function StateBadge({ token }: { readonly token: Judged }) {
  const state = stateOf(token);
  return <Badge tone={TONES[state]}>{t(`status.${state}`)}</Badge>;
}

/** Whether it works: neither revoked nor expired. */
export function isAlive({ revoked_at, is_expired }: Pick<Judged, 'revoked_at' | 'is_expired'>): boolean {
  return revoked_at === null && !is_expired;
}
