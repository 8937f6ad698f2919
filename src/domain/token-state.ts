/** The state of a token as people see it. `expiring`: it expires soon. `idle`: nobody has used it for long. */
export const TOKEN_STATES = ['active', 'expiring', 'idle', 'expired', 'revoked'] as const;
/** The state of a token as people see it. */
export type TokenState = (typeof TOKEN_STATES)[number];

/** Milliseconds. */
const DAY = 86_400_000;
/** The time before its end at which a token expires soon. */
export const SOON = 7 * DAY;
/** The time without use after which a token is idle. */
export const IDLE = 30 * DAY;

/** The times that the state depends on, in epoch milliseconds. */
export interface TokenTimes {
  readonly createdAt: number;
  /** `null`: never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
}

/**
 * The state at a time. A token that expires soon says so even if it is idle too. A token of few days expires soon in the second
 * half of its life.
 */
export function stateAt({ createdAt, expiresAt, revokedAt, lastUsedAt }: TokenTimes, now: number): TokenState {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt !== null) {
    if (expiresAt <= now) return 'expired';
    if (expiresAt < now + SOON && expiresAt + createdAt < 2 * now) return 'expiring';
  }
  return (lastUsedAt ?? createdAt) < now - IDLE ? 'idle' : 'active';
}

/** The time at which a token expires: after one time, and by another one; or never. */
export type Ending = { readonly after: number; readonly by: number } | 'never';

/** Whether a token expires at such a time. */
export function endsIn({ expiresAt }: Pick<TokenTimes, 'expiresAt'>, ends: Ending): boolean {
  if (ends === 'never' || expiresAt === null) return ends === 'never' && expiresAt === null;
  return expiresAt > ends.after && expiresAt <= ends.by;
}
