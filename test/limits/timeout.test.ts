import { postgresRateLimiter } from 'postern/limits';
import { afterEach, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.useRealTimers();
});

it('a call rejects if the database of the limiter does not answer', async () => {
  vi.useFakeTimers();
  const limiter = postgresRateLimiter({ pool: { query: () => new Promise(() => {}) } });
  const refused = expect(limiter.consume('rate:x', { points: 1, duration: 60_000 }, Date.now())).rejects.toThrow(
    'did not answer',
  );
  await vi.advanceTimersByTimeAsync(2_000);
  await refused;
});
