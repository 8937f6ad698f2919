import { afterEach, expect, test, vi } from 'vitest';

afterEach(() => {
  vi.doUnmock('rate-limiter-flexible');
  vi.resetModules();
});

test('a limiter without its package names the install command, and the memory limiter needs no package', async () => {
  vi.resetModules();
  vi.doMock('rate-limiter-flexible', () => {
    throw new Error("Cannot find package 'rate-limiter-flexible' imported from here");
  });
  const { memoryRateLimiter, postgresRateLimiter, redisRateLimiter } = await import('postern/limits');
  const window = { points: 1, duration: 1_000 };
  expect(await memoryRateLimiter().consume('x', window, 0)).toMatchObject({ allowed: true });
  for (const limiter of [
    postgresRateLimiter({ pool: { query: async () => ({}) } }),
    redisRateLimiter({ client: {} }),
  ]) {
    await expect(limiter.consume('x', window, 0)).rejects.toMatchObject({
      code: 'driver_missing',
      message: expect.stringContaining('Run: npm install rate-limiter-flexible'),
    });
  }
});
