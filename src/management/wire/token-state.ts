/** The state of a token as people see it: the API's own has no `soon` and no `idle`. */
export type State = 'active' | 'soon' | 'expired' | 'revoked' | 'idle';

/** Milliseconds. */
const DAY = 86_400_000;
/** Days before its end at which a token expires soon. */
const SOON = 7;
/** Days without use after which a token is idle. */
const IDLE = 30;

/** The fields of a token that its state depends on. Times are ISO 8601. */
export interface Judged {
  readonly revoked_at: string | null;
  readonly is_expired: boolean;
  readonly expired_at: string | null;
  readonly last_used_at: string | null;
  readonly created_at: string;
}

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
