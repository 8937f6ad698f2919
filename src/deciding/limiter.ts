import { unpolluted } from '../base/check.js';
import type { Ground } from '../base/ground.js';
import { type Denied, unavailable } from '../domain/decision.js';
import type { LimitState } from '../domain/limits.js';
import type { Account } from './holder.js';

/**
 * Charges a call to the limits of its token. It does so only after the secret is verified and the call would be allowed: nobody
 * can use up someone else's limits, and a refused call costs nothing.
 */
export class Limiter {
  readonly #ground: Ground;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  /** A denial, or the window with the smallest share left; `null`: no limit counts. */
  async charge(token: Account): Promise<Denied | LimitState | null> {
    const { rateLimiter, onLimiterFault } = this.#ground.settings;
    const { latest } = this.#ground.time;
    const { tokenId } = token.principal;
    let nearest: LimitState | null = null;
    try {
      if (rateLimiter === null) throw new Error('a token has limits, but this postern has no rateLimiter');
      for (const { policy, points, duration } of windowsOf(token)) {
        // A changed policy starts new windows.
        const key = `${policy}:${tokenId}:${token.rules.windows}`;
        const consumed = await rateLimiter.consume(key, { points, duration }, latest);
        const { remaining, resetIn } = consumed;
        const state: LimitState = { policy, points, duration, remaining, resetIn };
        if (unpolluted(consumed, 'allowed') !== true) return { allowed: false, reason: 'rate_limited', limit: state };
        if (nearest === null || remaining / points < nearest.remaining / nearest.points) nearest = state;
      }
    } catch (error) {
      this.#ground.events.fault('limiter', error, latest);
      return onLimiterFault === 'allow' ? null : unavailable('limiter', error);
    }
    return nearest;
  }
}

function windowsOf({ rules }: Account): Pick<LimitState, 'policy' | 'points' | 'duration'>[] {
  const { rateLimit, quota } = rules;
  return [
    ...(rateLimit === null ? [] : [{ policy: 'rate' as const, ...rateLimit }]),
    ...(quota === null ? [] : [{ policy: 'quota' as const, points: quota.points, duration: quota.refill }]),
  ];
}
