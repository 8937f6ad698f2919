import { memoryRateLimiter, type RateLimiter } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { gateOf } from '../support/gate.js';
import { refusal, thrown, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

/** A limiter in memory that records its keys and can be made to fail. */
function limited(options: { onLimiterFault?: 'allow' } = {}) {
  const { consume, peek } = memoryRateLimiter();
  const asked: string[] = [];
  let down = false;
  const rateLimiter: RateLimiter = {
    async consume(key, ...rest) {
      asked.push(key);
      if (down) throw new Error('ECONNREFUSED');
      return consume(key, ...rest);
    },
    async peek(...given) {
      if (down) throw new Error('ECONNREFUSED');
      return peek(...given);
    },
  };
  return { ...createTestPostern({ rateLimiter, ...options }), asked, fail: (value: boolean) => (down = value) };
}

describe('a rate limit', () => {
  test('lets its points through in a window, and tells the rest', async () => {
    const { postern, clock } = limited();
    const { token, record } = await postern.tokens.create({
      name: 'x',
      types,
      rateLimit: { points: 2, duration: '1m' },
    });
    expect(record.rateLimit).toEqual({ points: 2, duration: 60_000 });
    const attempt = { token, requirement };
    expect(await postern.authorize(attempt)).toMatchObject({ allowed: true, limit: { policy: 'rate', remaining: 1 } });
    clock.advance(10_000);
    expect(await postern.authorize(attempt)).toMatchObject({ allowed: true, limit: { remaining: 0, resetIn: 50_000 } });
    expect(await postern.authorize(attempt)).toEqual({
      allowed: false,
      reason: 'rate_limited',
      limit: { policy: 'rate', points: 2, duration: 60_000, remaining: 0, resetIn: 50_000 },
    });
    clock.advance(50_000);
    expect(verdict(await postern.authorize(attempt))).toBe('allowed');
  });

  test('is charged only for allowed calls with the right secret', async () => {
    const { postern, asked } = limited();
    const { token, record } = await postern.tokens.create({
      name: 'x',
      types,
      rateLimit: { points: 1, duration: '1m' },
    });
    await postern.authorize({ token: record.id, requirement });
    await postern.authorize({ token: `${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`, requirement });
    await postern.authorize({ token, requirement: { scope: 'iam:write' } });
    await postern.explain({ token, requirement });
    await postern.authenticate(token);
    await gateOf(postern).authorize({ token, requirement }, 'recheck');
    expect(asked).toEqual([]);
    expect(postern.tryAuthorize({ token, requirement })).toBeNull();
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    expect(asked).toEqual([`rate:${record.id}:1`]);
  });

  test('is shared by both secrets of a rotation', async () => {
    const { postern } = limited();
    const made = await postern.tokens.create({ name: 'x', types, quota: { points: 2, refill: '30d' } });
    const { token } = await postern.tokens.rotate(made.record.id, { grace: '1h' });
    const verdicts = [made.token, token, made.token].map((each) => postern.authorize({ token: each, requirement }));
    expect((await Promise.all(verdicts)).map(verdict).sort()).toEqual(['allowed', 'allowed', 'rate_limited']);
  });

  test("denies calls while the limiter is down, unless onLimiterFault is 'allow'", async () => {
    const strict = limited();
    const lenient = limited({ onLimiterFault: 'allow' });
    for (const { postern, fail } of [strict, lenient]) {
      const { token } = await postern.tokens.create({ name: 'x', types, rateLimit: { points: 1, duration: '1m' } });
      fail(true);
      const decision = await postern.authorize({ token, requirement });
      expect(decision).toMatchObject(
        postern === strict.postern ? { allowed: false, reason: 'unavailable', cause: 'limiter' } : { allowed: true },
      );
    }
    expect(strict.events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'limiter' }));
    expect(lenient.events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'limiter' }));
  });

  test('with a damaged record is an internal error, not a free pass', async () => {
    const { postern, store } = limited();
    const { token } = await postern.tokens.create({ name: 'x', types, rateLimit: { points: 1, duration: '1m' } });
    for (const limits of ['', '[]', '{"rateLimit":{"points":"many"}}', '{}', '7', 'null']) {
      store.answer('findTokenByDigest', (real) => {
        const found = real as { token: object };
        return { ...found, token: { ...found.token, limits } };
      });
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
    }
  });

  test('is kept by an update that leaves it out, and removed by null', async () => {
    const { postern } = limited();
    const { record } = await postern.tokens.create({
      name: 'x',
      types,
      rateLimit: { points: 1, duration: '1m' },
      quota: { points: 9, refill: '1d' },
    });
    expect(await postern.tokens.update(record.id, { rateLimit: null })).toMatchObject({
      rateLimit: null,
      quota: { points: 9, refill: 86_400_000 },
    });
    expect((await postern.tokens.update(record.id, { name: 'y' })).quota).toEqual({ points: 9, refill: 86_400_000 });
  });

  test('is refused on an instance without a limiter', async () => {
    const { postern } = createTestPostern();
    const input = { name: 'x', types, rateLimit: { points: 1, duration: '1m' } } as const;
    expect(await refusal(postern.tokens.create(input))).toMatchObject({ code: 'option_invalid', path: 'rateLimiter' });
    expect(await postern.tokens.list()).toMatchObject({ items: [] });
  });

  test.each([
    [{ rateLimit: { points: 0, duration: '1m' } }, 'rateLimit.points'],
    [{ rateLimit: { points: 1.5, duration: '1m' } }, 'rateLimit.points'],
    [{ rateLimit: { points: 1, duration: '500ms' } }, 'rateLimit.duration'],
    [{ quota: { points: 1, refill: 'monthly' } }, 'quota.refill'],
    [{ quota: { points: 1 } }, 'quota.refill'],
  ])('is refused if it is %j', async (limit, path) => {
    const { postern } = limited();
    const error = await refusal(postern.tokens.create({ name: 'x', types, ...(limit as object) }));
    expect(error).toMatchObject({ code: 'input_invalid', path });
  });

  test('needs a valid limiter and a valid onLimiterFault at construction', () => {
    expect(thrown(() => createTestPostern({ rateLimiter: {} as never }))).toMatchObject({
      code: 'option_invalid',
      path: 'rateLimiter',
    });
    expect(thrown(() => createTestPostern({ onLimiterFault: 'ignore' as never }))).toMatchObject({
      path: 'onLimiterFault',
    });
  });

  test('can not be removed or passed by with its own token', async () => {
    const { postern } = limited();
    const admin = { developer: { scopes: ['*'] } } as const;
    const { token, record } = await postern.tokens.create({
      name: 'x',
      types: admin,
      quota: { points: 9, refill: '1d' },
    });
    const free = await postern.tokens.create({ name: 'y', types: admin });
    const as = async (secret: string) => {
      const identity = await postern.authenticate(secret);
      if (!identity.ok) throw new Error(identity.reason);
      return postern.as(identity.principal).tokens;
    };
    const limitedHands = await as(token);
    for (const work of [
      () => limitedHands.update(record.id, { quota: null }),
      () => limitedHands.create({ name: 'z', types }),
    ]) {
      expect(await refusal(work())).toMatchObject({ code: 'limits_forbidden' });
    }
    expect(await (await as(free.token)).update(record.id, { quota: null })).toMatchObject({ quota: null });
  });
});
