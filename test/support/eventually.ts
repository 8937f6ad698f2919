import { vi } from 'vitest';

/** Asks again until nothing is thrown, and gives the answer. The limit is far: a busy machine is slow. */
export function eventually<T>(ask: () => Promise<T>): Promise<T> {
  return vi.waitFor(ask, { timeout: 60_000, interval: 10 });
}
