import type { Token } from '../../../wire/types.js';
import { t } from '../i18n.js';
import { Badge, type Tone } from '../parts/badge.js';
import { DAY } from '../words.js';

export type State = 'active' | 'soon' | 'expired' | 'revoked' | 'idle';
export const STATES: readonly State[] = ['active', 'soon', 'idle', 'expired', 'revoked'];

/** Days before its end at which a token expires soon. */
const SOON = 7;
/** Days without use after which a token is idle. */
const IDLE = 30;

const TONES: Readonly<Record<State, Tone>> = {
  active: 'active',
  soon: 'warning',
  idle: 'idle',
  expired: 'ended',
  revoked: 'danger',
};

type Judged = Pick<Token, 'revoked_at' | 'is_expired' | 'expired_at' | 'last_used_at' | 'created_at'>;

/** The state of a token. A token that ends soon says so even if it is idle too. */
export function stateOf(token: Judged, now = Date.now()): State {
  const { revoked_at, is_expired, expired_at, last_used_at, created_at } = token;
  if (revoked_at !== null) return 'revoked';
  if (is_expired) return 'expired';
  const life = expired_at === null ? Number.POSITIVE_INFINITY : Date.parse(expired_at) - Date.parse(created_at);
  // A token of few days is not about to end all its life.
  const soon = Math.min(SOON * DAY, life / 2);
  if (expired_at !== null && Date.parse(expired_at) - now < soon) return 'soon';
  return now - Date.parse(last_used_at ?? created_at) > IDLE * DAY ? 'idle' : 'active';
}

export function StateBadge({ token }: { readonly token: Judged }) {
  const state = stateOf(token);
  return <Badge tone={TONES[state]}>{t(`status.${state}`)}</Badge>;
}

/** Whether it works: neither revoked nor expired. */
export function isAlive({ revoked_at, is_expired }: Pick<Token, 'revoked_at' | 'is_expired'>): boolean {
  return revoked_at === null && !is_expired;
}
