import { isPosternError } from '../../domain/errors.js';
import type { Core } from '../../services/core.js';
import type { RateLimiter } from '../../services/ports.js';
import { Problem, unavailable } from '../http/problem.js';

interface Window {
  readonly points: number;
  /** Milliseconds. */
  readonly duration: number;
}

const MINUTE = 60_000;

/** What nobody needs a credential for is bounded: by the address that asks, and in all. */
const BOUNDS = {
  /** Each login that begins is a row in the store. */
  begin: { each: { points: 20, duration: MINUTE }, all: { points: 600, duration: MINUTE } },
  /** A client asks once a second, and never stops; several may share an address. */
  collect: { each: { points: 1_200, duration: MINUTE }, all: { points: 60_000, duration: MINUTE } },
} as const satisfies Record<string, { readonly each: Window; readonly all: Window }>;

/** How many addresses are counted at once, at most. */
const MOST_WINDOWS = 10_000;

/** Counts in this process, unless the instance has a limiter that all of them share. */
export class LoginLimits {
  readonly #limiter: Pick<RateLimiter, 'consume'>;

  constructor({ settings, time }: Core) {
    this.#limiter = settings.rateLimiter ?? localLimiter(() => time.read());
  }

  /**
   * @param address `null` where it is not known: then only the bound of all holds, or one caller would lock out the others
   * @throws Problem 429, 503
   */
  async take(what: keyof typeof BOUNDS, address: string | null): Promise<void> {
    const { each, all } = BOUNDS[what];
    // First by address: who is stopped there uses up nothing of what is everybody's.
    if (address !== null) await this.#consume(`login:${what}:${address}`, each);
    await this.#consume(`login:${what}`, all);
  }

  async #consume(key: string, window: Window): Promise<void> {
    const { allowed, resetIn } = await this.#limiter.consume(key, window).catch((error: unknown) => {
      if (isPosternError(error)) throw error;
      throw unavailable('How often you asked can not be told at the moment.');
    });
    if (allowed) return;
    throw new Problem(429, 'rate_limited', 'Too many logins were asked for: wait a minute, then try again.', {
      headers: { 'retry-after': String(Math.max(1, Math.ceil(resetIn / 1000))) },
    });
  }
}

/** Windows of a fixed length, each from its first call. The oldest are forgotten first when there are too many. */
function localLimiter(now: () => number): Pick<RateLimiter, 'consume'> {
  const windows = new Map<string, { used: number; readonly endsAt: number }>();
  return {
    async consume(key, { points, duration }) {
      const at = now();
      let window = windows.get(key);
      // A window that ends later than one can is from before the clock was set back.
      if (window === undefined || window.endsAt <= at || window.endsAt > at + duration) {
        windows.delete(key);
        window = { used: 0, endsAt: at + duration };
        windows.set(key, window);
        const oldest = windows.keys().next();
        if (windows.size > MOST_WINDOWS && !oldest.done) windows.delete(oldest.value);
      }
      window.used++;
      return {
        allowed: window.used <= points,
        remaining: Math.max(0, points - window.used),
        resetIn: window.endsAt - at,
      };
    },
  };
}
