import { memoryRateLimiter } from 'postern/limits';
import { describe, expect, it } from 'vitest';
import { counts, MINUTE } from './counts.js';

describe('in memory', () => {
  counts(memoryRateLimiter);

  it('counts separately from every other memory limiter', async () => {
    const window = { points: 1, duration: MINUTE };
    for (const limiter of [memoryRateLimiter(), memoryRateLimiter()]) {
      expect(await limiter.consume('rate:x', window, Date.now())).toMatchObject({ allowed: true });
    }
  });
});
