import { vi } from 'vitest';

/** Repeats the call until it does not throw, and returns its result. The limit is long because a busy machine is slow. */
export function eventually<T>(ask: () => Promise<T>): Promise<T> {
  return vi.waitFor(ask, { timeout: 60_000, interval: 10 });
}
