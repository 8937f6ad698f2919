import { randomUUID } from 'node:crypto';
import { setTimeout as pass } from 'node:timers/promises';
import type { RateLimiter } from 'postern/limits';
import { createTestPostern } from 'postern/testing';
import { expect, it } from 'vitest';

export const MINUTE = 60_000;
const DAY = 86_400_000;

/** The tests of every limiter, wherever it counts. */
export function counts(make: () => RateLimiter): void {
  const limiter = make();

  it('gives out exactly the points of a window to concurrent calls', async () => {
    const key = randomUUID();
    const window = { points: 20, duration: MINUTE };
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.consume(key, window, Date.now())));
    const allowed = answers.filter((answer) => answer.allowed);
    expect(allowed.map(({ remaining }) => remaining).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const { allowed, remaining, resetIn } of answers) {
      if (!allowed) expect(remaining).toBe(0);
      expect(resetIn).toBeGreaterThan(0);
      expect(resetIn).toBeLessThanOrEqual(MINUTE);
    }
  });

  it('ends a window at its time even under steady traffic, and refused calls do not count in the next one', async () => {
    const key = randomUUID();
    const window = { points: 3, duration: 2_000 };
    for (const remaining of [2, 1, 0])
      expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining });
    let answer = await limiter.consume(key, window, Date.now());
    let refused = 0;
    for (let left = window.duration; !answer.allowed; answer = await limiter.consume(key, window, Date.now())) {
      refused++;
      // Steady traffic brings the end nearer, like everything else.
      expect(answer.resetIn).toBeLessThanOrEqual(left);
      left = answer.resetIn;
      await pass(20);
    }
    expect(refused).toBeGreaterThan(window.points);
    expect(answer.remaining).toBe(2);
    for (const remaining of [1, 0])
      expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining });
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: false });
  });

  it('counts each key separately', async () => {
    const window = { points: 1, duration: MINUTE };
    const [one, other] = [`rate:${randomUUID()}`, `quota:${randomUUID()}`];
    expect(await limiter.consume(one, window, Date.now())).toMatchObject({ allowed: true });
    expect(await limiter.consume(one, window, Date.now())).toMatchObject({ allowed: false });
    expect(await limiter.consume(other, window, Date.now())).toMatchObject({ allowed: true });
  });

  it('looks at a window without taking a point', async () => {
    const key = randomUUID();
    const window = { points: 2, duration: MINUTE };
    expect(await limiter.peek(key, window, Date.now())).toBeNull();
    for (const remaining of [1, 0, 0]) {
      await limiter.consume(key, window, Date.now());
      for (let looks = 0; looks < 3; looks++) {
        const state = await limiter.peek(key, window, Date.now());
        expect(state).toEqual({ remaining, resetIn: expect.any(Number) });
        expect(state?.resetIn).toBeGreaterThan(0);
        expect(state?.resetIn).toBeLessThanOrEqual(MINUTE);
      }
    }
  });

  it('sees no window once it has ended', async () => {
    const key = randomUUID();
    const window = { points: 1, duration: 1_000 };
    await limiter.consume(key, window, Date.now());
    await pass(1_100);
    expect(await limiter.peek(key, window, Date.now())).toBeNull();
  });

  it.each(['quota', 'rate'] as const)('a call that is refused for its %s uses up no other limit', async (refusing) => {
    const { postern, clock } = createTestPostern({ rateLimiter: limiter });
    const [few, many] = [2, 5];
    const { token, record } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      rateLimit: { points: refusing === 'rate' ? few : many, duration: '1h' },
      quota: { points: refusing === 'quota' ? few : many, refill: '30d' },
    });
    const call = async () => {
      const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
      return decision.allowed ? 'allowed' : decision.limit?.policy;
    };
    const calls: unknown[] = [];
    for (let each = 0; each < 2 * many; each++) calls.push(await call());
    expect(calls).toEqual([...Array(few).fill('allowed'), ...Array(2 * many - few).fill(refusing)]);
    const other = refusing === 'rate' ? 'quota' : 'rate';
    const left = await limiter.peek(`${other}:${record.id}:1`, { points: many, duration: 30 * DAY }, clock.now());
    expect(left?.remaining).toBe(many - few);
  });

  it('never exceeds either of two limits, however many calls come at once', async () => {
    const { postern } = createTestPostern({ rateLimiter: limiter });
    const { token } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      rateLimit: { points: 7, duration: '1h' },
      quota: { points: 5, refill: '30d' },
    });
    const attempt = { token, requirement: { scope: 'models:read' } } as const;
    const decisions = await Promise.all(Array.from({ length: 40 }, () => postern.authorize(attempt)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  it('never makes a window shorter than requested', async () => {
    const { resetIn } = await limiter.consume(randomUUID(), { points: 1, duration: 1_001 }, Date.now());
    expect(resetIn).toBeGreaterThan(1_000);
  });

  // 2 ** 31 milliseconds, the longest timer of Node, are 24.8 days.
  it.each([25, 30, 365])('holds a window of %i days', async (days) => {
    const key = randomUUID();
    const window = { points: 1, duration: days * DAY };
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true });
    // A timer that is too long ends after 1 ms: one that was set later ends later.
    await pass(5);
    const answer = await limiter.consume(key, window, Date.now());
    expect(answer).toMatchObject({ allowed: false, remaining: 0 });
    expect(answer.resetIn).toBeGreaterThan((days - 1) * DAY);
  });
}

export async function expectShared(one: RateLimiter, other: RateLimiter): Promise<void> {
  const window = { points: 2, duration: MINUTE };
  const key = randomUUID();
  expect(await one.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining: 1 });
  expect(await other.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining: 0 });
  for (const limiter of [one, other])
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: false });
}
