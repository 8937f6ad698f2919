import { type Allowed, type Decision, unavailable } from '../domain/decision.js';
import type { LimitState } from '../domain/limits.js';
import type { Core } from '../instance/core.js';
import type { Account } from './holder.js';

/**
 * Charges a call to the limits of its token: once the secret is proven and the call would be allowed, so that nobody uses
 * up what is another's, and a refusal costs nothing.
 */
export class Limiter {
  readonly #core: Core;

  constructor(core: Core) {
    this.#core = core;
  }

  async charge(token: Account, decision: Allowed): Promise<Decision> {
    const { rateLimiter, onLimiterFault } = this.#core.settings;
    const { latest } = this.#core.time;
    const { tokenId } = token.principal;
    let nearest: LimitState | null = null;
    try {
      if (rateLimiter === null) throw new Error('a token has limits, and this postern has no rateLimiter');
      for (const { policy, points, duration } of windowsOf(token)) {
        const consumed = await rateLimiter.consume(`${policy}:${tokenId}`, { points, duration }, latest);
        const { allowed, remaining, resetIn } = consumed;
        const state: LimitState = { policy, points, duration, remaining, resetIn };
        if (!allowed) return { allowed: false, reason: 'rate_limited', limit: state };
        if (nearest === null || remaining / points < nearest.remaining / nearest.points) nearest = state;
      }
    } catch (error) {
      this.#core.events.fault('limiter', error, latest);
      return onLimiterFault === 'allow' ? decision : unavailable('limiter', error);
    }
    return nearest === null ? decision : { ...decision, limit: nearest };
  }
}

function windowsOf({ limits }: Account): Pick<LimitState, 'policy' | 'points' | 'duration'>[] {
  const { rateLimit, quota } = limits;
  return [
    ...(rateLimit === null ? [] : [{ policy: 'rate' as const, ...rateLimit }]),
    ...(quota === null ? [] : [{ policy: 'quota' as const, points: quota.points, duration: quota.refill }]),
  ];
}
