import { stateAt, type TokenState } from '../../domain/token-state.js';

/** The fields of a token that its state depends on. Times are ISO 8601. */
export interface Judged {
  readonly revoked_at: string | null;
  readonly is_expired: boolean;
  readonly expired_at: string | null;
  readonly last_used_at: string | null;
  readonly created_at: string;
}

/** The state of a token on the wire. The server decides whether it has expired, because this machine's clock may be wrong. */
export function stateOf(token: Judged, now = Date.now()): TokenState {
  if (token.revoked_at === null && token.is_expired) return 'expired';
  const time = (iso: string | null) => (iso === null ? null : Date.parse(iso));
  const times = {
    createdAt: Date.parse(token.created_at),
    expiresAt: time(token.expired_at),
    revokedAt: time(token.revoked_at),
    lastUsedAt: time(token.last_used_at),
  };
  const state = stateAt(times, now);
  return state === 'expired' ? 'expiring' : state;
}
