import { unpolluted } from '../base/check.js';
import type { Ground } from '../base/ground.js';
import { limiterOf, type TokenWindow, windowsOf } from '../base/windows.js';
import { type Denied, unavailable } from '../domain/decision.js';
import type { LimitState } from '../domain/limits.js';
import type { RateLimiter, WindowState } from '../ports/rate-limiter.js';
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

  /**
   * A denial, or the window with the smallest share left; `null`: no limit counts.
   *
   * @param taking `false`: nothing is charged, and only a denial is told
   */
  async charge({ principal, rules }: Account, taking: boolean): Promise<Denied | LimitState | null> {
    const { onLimiterFault } = this.#ground.settings;
    const { latest } = this.#ground.time;
    const windows = windowsOf(principal.tokenId, rules);
    let nearest: LimitState | null = null;
    try {
      const limiter = limiterOf(this.#ground);
      const full = windows.length > 1 || !taking ? await usedUp(limiter, windows, latest) : null;
      if (full !== null || !taking) return full;
      for (const window of windows) {
        const consumed = await limiter.consume(window.key, window, latest);
        if (unpolluted(consumed, 'allowed') !== true) return limited(window, consumed);
        if (nearest === null || consumed.remaining / window.points < nearest.remaining / nearest.points) {
          nearest = stateOf(window, consumed);
        }
      }
    } catch (error) {
      this.#ground.events.fault('limiter', error, latest);
      return onLimiterFault === 'allow' ? null : unavailable('limiter', error);
    }
    return nearest;
  }
}

/**
 * Looks at all windows before one is charged: a call that one limit refuses uses up no other. Of several calls at once for the last
 * point, those that lose it may still take a point of the window before.
 */
async function usedUp(limiter: RateLimiter, windows: readonly TokenWindow[], now: number): Promise<Denied | null> {
  const states = await Promise.all(windows.map((window) => limiter.peek(window.key, window, now)));
  for (const [index, state] of states.entries()) {
    if (state !== null && state.remaining <= 0) return limited(windows[index] as TokenWindow, state);
  }
  return null;
}

function limited(window: TokenWindow, state: WindowState): Denied {
  return { allowed: false, reason: 'rate_limited', limit: stateOf(window, state) };
}

function stateOf({ policy, points, duration }: TokenWindow, { remaining, resetIn }: WindowState): LimitState {
  return { policy, points, duration, remaining, resetIn };
}
