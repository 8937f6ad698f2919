import { memoryStore } from 'postern';
import { type ControlledStore, controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { type Attempt, verdict, withWrongChecksum } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] }, user: { endpoints: '*' } } as const;
const requirement = { scope: 'models:read' } as const;
const reads = (store: ControlledStore) =>
  store.count('findTokenByDigest', 'listEndpoints', 'findEndpoint', 'findToken');

describe('a warm call', () => {
  test('reads nothing and answers without a promise', async () => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types });
    const attempts: Attempt[] = [
      { token, requirement },
      { token, requirement: { endpoint: 'a' } },
      { token, requirement: { authenticated: true } },
      { token, requirement: { endpoint: 'nowhere' } },
    ];
    for (const attempt of attempts) await postern.authorize(attempt);
    const before = store.count();
    for (let i = 0; i < 100; i++) {
      for (const attempt of attempts) {
        const decision = await postern.authorize(attempt);
        expect(postern.tryAuthorize(attempt)).toEqual(decision);
      }
    }
    expect(store.count()).toBe(before);
  });

  test('is impossible before the first read: tryAuthorize returns null', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types });
    expect(postern.tryAuthorize({ token, requirement })).toBeNull();
    expect(postern.tryAuthorize({ token, requirement: { endpoint: 'a' } })).toBeNull();
  });

  test('is not needed for a public requirement, which never reads', async () => {
    const { postern, store } = createTestPostern();
    expect(postern.tryAuthorize({ token: 'anything', requirement: { public: true } })).toEqual({
      allowed: true,
      principal: null,
    });
    expect(store.count()).toBe(0);
  });

  test('1,000 concurrent calls with one cold token share one read', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const asked = Array.from({ length: 1000 }, () => postern.authorize({ token, requirement: { endpoint: 'a' } }));
    expect((await Promise.all(asked)).every(({ allowed }) => allowed)).toBe(true);
    expect([store.count('findTokenByDigest'), store.count('listEndpoints')]).toEqual([1, 1]);
  });

  test('a failed read makes every call that shares it unavailable, and the next call reads again', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    store.fail('findTokenByDigest', 'reject');
    const outcomes = await Promise.all([1, 2, 3].map(() => postern.authorize({ token, requirement })));
    expect(outcomes.map(verdict)).toEqual(['unavailable', 'unavailable', 'unavailable']);
    store.mend();
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    expect(store.count('findTokenByDigest')).toBe(2);
  });
});

describe('a cached token or endpoint', () => {
  test.each([
    ['30 seconds by default', {}, 30_000],
    ['5 seconds as configured', { cache: { ttl: '5s' } }, 5_000],
  ] as const)('is read again after its ttl (%s)', async (_, options, ttl) => {
    const { postern, store, clock } = createTestPostern({
      ...options,
      store: controlledStore(memoryStore(), { feed: false }),
    });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types });
    const attempt: Attempt = { token, requirement: { endpoint: 'a' } };
    await postern.authorize(attempt);
    const before = reads(store);
    for (let i = 0; i < 4; i++) {
      clock.advance(ttl / 4 - 1);
      expect(postern.tryAuthorize(attempt)).toMatchObject({ allowed: true });
    }
    clock.advance(3);
    await postern.authorize(attempt);
    expect(reads(store)).toBe(before);
    clock.advance(1);
    expect(postern.tryAuthorize(attempt)).toBeNull();
    await postern.authorize(attempt);
    expect(reads(store)).toBe(before + 2);
  });

  test('is not served longer because the endpoint was read slowly', async () => {
    const clock = testClock();
    const inner = memoryStore();
    const store = controlledStore(inner, { feed: false });
    const { postern } = createTestPostern({ store, clock });
    const other = createTestPostern({ store: controlledStore(inner, { feed: false }), clock });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const gate = store.hold('listEndpoints', 'before');
    const slow = postern.authorize({ token, requirement: { endpoint: 'a' } });
    const held = await gate.next();
    gate.end();
    await postern.authorize({ token, requirement });
    await other.postern.tokens.revoke(record.id);
    clock.advance(30_000);
    held.release();
    expect(verdict(await slow)).toBe('token_revoked');
  });

  test('does not exist with cache: false, so that each call reads the token and the endpoint', async () => {
    const { postern, store, clock } = createTestPostern({ cache: false });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types });
    for (let i = 1; i <= 3; i++) {
      clock.advance(-500);
      expect(postern.tryAuthorize({ token, requirement: { endpoint: 'a' } })).toBeNull();
      await postern.authorize({ token, requirement: { endpoint: 'a' } });
      expect([store.count('findTokenByDigest'), store.count('findEndpoint')]).toEqual([i, i]);
      expect(store.count('listEndpoints')).toBe(0);
    }
  });

  test('stays cached when an endpoint of another organization changes', async () => {
    const { postern, store } = createTestPostern();
    for (const organization of ['a', 'b']) {
      await postern.endpoints.create({ id: 'open', access: 'public', organization });
      await postern.authorize({ requirement: { endpoint: 'open', organization } });
    }
    const reads = store.count('listEndpoints');
    await postern.endpoints.update('open', { access: 'private' }, { organization: 'a' });
    expect(postern.tryAuthorize({ requirement: { endpoint: 'open', organization: 'b' } })?.allowed).toBe(true);
    expect(store.count('listEndpoints')).toBe(reads);
    expect(postern.tryAuthorize({ requirement: { endpoint: 'open', organization: 'a' } })).toBeNull();
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'open', organization: 'a' } }))).toBe(
      'endpoint_private',
    );
  });

  test('is read again once maxTokens pushed it out', async () => {
    const { postern, store } = createTestPostern({ cache: { maxTokens: 10 } });
    const tokens = [];
    for (let i = 0; i < 50; i++) tokens.push((await postern.tokens.create({ name: 'x', types })).token);
    for (const token of tokens) await postern.authenticate(token);
    const warm = tokens.filter((token) => postern.tryAuthorize({ token, requirement }) !== null);
    expect(warm.length).toBeLessThanOrEqual(10);
    expect(warm.length).toBeGreaterThan(0);
    for (const token of tokens) expect((await postern.authenticate(token)).ok).toBe(true);
    expect(store.count('findTokenByDigest')).toBeGreaterThan(50);
  });

  test('is refused at its expiry, also within its ttl', async () => {
    const { postern, clock } = createTestPostern({ cache: { ttl: '1d' } });
    const { token } = await postern.tokens.create({ name: 'x', types, expiresIn: '10m' });
    expect((await postern.authenticate(token)).ok).toBe(true);
    clock.advance(600_000);
    expect(postern.tryAuthorize({ token, requirement })).toEqual({ allowed: false, reason: 'token_expired' });
  });

  test('that expires during its read is refused', async () => {
    const { postern, store, clock } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types, expiresIn: '10m' });
    const gate = store.hold('findTokenByDigest', 'after');
    const asked = postern.authorize({ token, requirement });
    const held = await gate.next();
    clock.advance(600_000);
    held.release();
    expect(verdict(await asked)).toBe('token_expired');
  });
});

describe('an unknown token', () => {
  test('is remembered for 5 seconds', async () => {
    const { postern, store, clock } = createTestPostern();
    const stranger = (await createTestPostern().postern.tokens.create({ name: 'x', types })).token;
    for (let i = 0; i < 10; i++)
      expect(await postern.authenticate(stranger)).toEqual({ ok: false, reason: 'token_unknown' });
    expect(store.count('findTokenByDigest')).toBe(1);
    clock.advance(5_000);
    await postern.authenticate(stranger);
    expect(store.count('findTokenByDigest')).toBe(2);
  });

  test('with a wrong checksum or another form costs no read', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    for (const text of [
      withWrongChecksum(token),
      token.slice(1),
      `${token}a`,
      'hello',
      token.toUpperCase(),
      `Bearer ${token}`,
    ]) {
      expect(await postern.authenticate(text)).toEqual({ ok: false, reason: 'token_unknown' });
    }
    expect(store.count('findTokenByDigest')).toBe(0);
  });

  test('never pushes a known token out of the cache, also not in a flood of 500', async () => {
    const { postern } = createTestPostern({ cache: { maxTokens: 100 } });
    const { token } = await postern.tokens.create({ name: 'x', types });
    await postern.authenticate(token);
    const elsewhere = createTestPostern().postern;
    for (let i = 0; i < 500; i++)
      await postern.authenticate((await elsewhere.tokens.create({ name: 'x', types })).token);
    expect(postern.tryAuthorize({ token, requirement })).toMatchObject({ allowed: true });
  });
});

describe('unknown endpoint names', () => {
  test('10,000 of them cost one read in all', async () => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    for (let i = 0; i < 10_000; i++) {
      const attempt = { requirement: { endpoint: `flood-${i}` } };
      expect(verdict(postern.tryAuthorize(attempt) ?? (await postern.authorize(attempt)))).toBe('endpoint_unknown');
    }
    expect(reads(store)).toBe(1);
  });

  test('10,000 concurrent ones cost one read in all', async () => {
    const { postern, store } = createTestPostern();
    await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => postern.authorize({ requirement: { endpoint: `flood-${i}` } })),
    );
    expect(reads(store)).toBe(1);
  });

  test('a name that is registered later is found by the next call', async () => {
    const { postern } = createTestPostern();
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('endpoint_unknown');
    await postern.endpoints.create({ id: 'a', access: 'public' });
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('allowed');
  });

  test('a list of more than one page is read whole', async () => {
    const { postern, store } = createTestPostern();
    for (let i = 0; i < 1_001; i++) await postern.endpoints.create({ id: `e${i}`, access: 'public' });
    const before = reads(store);
    for (const id of ['e0', 'e1000', 'e999', 'nowhere']) {
      expect(verdict(await postern.authorize({ requirement: { endpoint: id } }))).toBe(
        id === 'nowhere' ? 'endpoint_unknown' : 'allowed',
      );
    }
    expect(reads(store)).toBe(before + 2);
  });
});
