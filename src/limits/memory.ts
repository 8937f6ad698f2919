import type { RateLimiter, RateWindow } from '../ports/rate-limiter.js';

/** The time between two removals of ended windows, in milliseconds. */
const SWEEP_INTERVAL = 60_000;

/**
 * Counts in this process's memory, by the instance's clock. Limits are exact within one process, and are lost when it ends.
 *
 * @example
 * createPostern({ store, rateLimiter: memoryRateLimiter() });
 */
export function memoryRateLimiter(): RateLimiter {
  return memoryWindows(Number.POSITIVE_INFINITY);
}

/** @param most the most windows to keep. The oldest are dropped first */
export function memoryWindows(most: number): RateLimiter {
  const windows = new Map<string, { used: number; readonly endsAt: number }>();
  let sweepAt = Number.NEGATIVE_INFINITY;
  // A window that ends too late had another length, or began before the clock was set back.
  const current = (key: string, { duration }: RateWindow, now: number) => {
    const window = windows.get(key);
    return window === undefined || window.endsAt <= now || window.endsAt > now + duration ? undefined : window;
  };
  return {
    async consume(key, size, now) {
      const { points, duration } = size;
      // A later `sweepAt` was set while the clock was ahead.
      if (now >= sweepAt || sweepAt > now + SWEEP_INTERVAL) {
        for (const [each, { endsAt }] of windows) if (endsAt <= now) windows.delete(each);
        sweepAt = now + SWEEP_INTERVAL;
      }
      let window = current(key, size, now);
      if (window === undefined) {
        windows.delete(key);
        window = { used: 0, endsAt: now + duration };
        windows.set(key, window);
        const [oldest] = windows.keys();
        if (windows.size > most && oldest !== undefined) windows.delete(oldest);
      }
      window.used++;
      const remaining = Math.max(0, points - window.used);
      return { allowed: window.used <= points, remaining, resetIn: window.endsAt - now };
    },
    async peek(key, size, now) {
      const window = current(key, size, now);
      return window ? { remaining: Math.max(0, size.points - window.used), resetIn: window.endsAt - now } : null;
    },
  };
}
