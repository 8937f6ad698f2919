import { memoryStore, own, type RateLimiter } from 'postern';
import { controlledStore, createTestPostern, type TestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { verdict } from '../support/outcomes.js';

/** A limiter that answers once it is told to. */
function slowLimiter() {
  let answer = () => {};
  let asked = () => {};
  const waits = new Promise<void>((resolve) => (asked = resolve));
  const goOn = new Promise<void>((resolve) => (answer = resolve));
  const limiter: RateLimiter = {
    async consume() {
      asked();
      await goOn;
      return { allowed: true, remaining: 1, resetIn: 1_000 };
    },
    peek: async () => null,
  };
  return { limiter, waits, answer };
}

const rateLimit = { points: 9, duration: '1m' } as const;

/** What ends while a call waits, and the reason that it is refused for. */
const ends: readonly (readonly [string, string, (world: TestPostern, id: string) => Promise<unknown>])[] = [
  ['its token is revoked', 'token_revoked', ({ postern }, id) => postern.tokens.revoke(id)],
  ['its token is deleted', 'token_unknown', ({ postern }, id) => postern.tokens.delete(id)],
  ['its secret is rotated away', 'token_revoked', ({ postern }, id) => postern.tokens.rotate(id)],
  [
    'its grants are taken away',
    'endpoint_not_granted',
    ({ postern }, id) => postern.tokens.update(id, { types: { developer: { scopes: ['iam:read'] } } }),
  ],
  [
    'its endpoint becomes private',
    'endpoint_private',
    ({ postern }) => postern.endpoints.update('a', { access: 'private' }),
  ],
  ['its endpoint is deleted', 'endpoint_unknown', ({ postern }) => postern.endpoints.delete('a')],
  ['it expires', 'token_expired', async ({ clock }) => clock.advance('2h')],
];

describe.each([{}, { cache: false }] as const)('a call is refused (%o)', (options) => {
  test.each(ends)('while its limits are looked at, %s', async (_, reason, end) => {
    const { limiter, waits, answer } = slowLimiter();
    const world = createTestPostern({ ...options, rateLimiter: limiter });
    const { token, record } = await world.issue({ endpoints: ['a'], rateLimit, expiresIn: '1h' });
    const decision = world.postern.authorize({ token, requirement: { endpoint: 'a' } });
    await waits;
    await end(world, record.id);
    answer();
    expect(verdict(await decision)).toBe(reason);
  });

  test.each(ends.slice(0, 6))('while the token is read, %s', async (_, reason, end) => {
    const store = controlledStore(memoryStore());
    const world = createTestPostern({ ...options, store });
    const { token, record } = await world.issue({ endpoints: ['a'], expiresIn: '1h' });
    const gate = store.hold('findTokenByDigest', 'after');
    const decision = world.postern.authorize({ token, requirement: { endpoint: 'a' } });
    const read = await gate.next();
    gate.end();
    await end(world, record.id);
    read.release();
    expect(verdict(await decision)).toBe(reason);
  });

  test.each(ends.slice(0, 6))('while the endpoint of its own organization is read, %s', async (_, reason, end) => {
    const store = controlledStore(memoryStore());
    const world = createTestPostern({ ...options, store });
    const { token, record } = await world.issue({ endpoints: ['a'], expiresIn: '1h' });
    const gate = store.hold('cache' in options ? 'findEndpoint' : 'listEndpoints', 'after');
    const decision = world.postern.authorize({ token, requirement: { endpoint: 'a', organization: own } });
    const read = await gate.next();
    gate.end();
    await end(world, record.id);
    read.release();
    expect(verdict(await decision)).toBe(reason);
  });
});

test('what is known of another is not asked for again: a wait costs no read', async () => {
  const world = createTestPostern({
    rateLimiter: { consume: async () => ({ allowed: true, remaining: 1, resetIn: 1 }), peek: async () => null },
  });
  const token = await world.token({ endpoints: ['a'], rateLimit });
  const ask = () => world.postern.authorize({ token, requirement: { endpoint: 'a' } });
  expect(verdict(await ask())).toBe('allowed');
  const reads = world.store.count();
  expect(verdict(await ask())).toBe('allowed');
  expect(world.store.count()).toBe(reads);
});

test('what changes with each look is refused in the end, as a fault', async () => {
  const world = createTestPostern({ cache: false });
  const { token, record } = await world.issue({ endpoints: ['a'] });
  let name = 0;
  world.store.answer('findTokenByDigest', async (real) => {
    await world.postern.tokens.update(record.id, { name: `${name++}` });
    return real;
  });
  const decision = await world.postern.authorize({ token, requirement: { endpoint: 'a' } });
  expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'store' });
});
