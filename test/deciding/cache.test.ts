import { memoryStore } from 'postern';
import { type ControlledStore, controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { type Attempt, START, verdict, withWrongChecksum } from '../support/outcomes.js';

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

describe('of two instances on one store', () => {
  test("with a feed, each sees the other's changes at the next call", async () => {
    const inner = memoryStore();
    const clock = testClock();
    const here = createTestPostern({ store: controlledStore(inner), clock }).postern;
    const there = createTestPostern({ store: controlledStore(inner), clock }).postern;
    await here.endpoints.create({ id: 'a', access: 'protected' });
    const make = async () => here.tokens.create({ name: 'x', types });
    const [revoked, deleted, updated, rotated] = [await make(), await make(), await make(), await make()];
    for (const { token } of [revoked, deleted, updated, rotated]) {
      expect(verdict(await there.authorize({ token, requirement: { endpoint: 'a' } }))).toBe('allowed');
    }
    await here.tokens.revoke(revoked.record.id);
    await here.tokens.delete(deleted.record.id);
    await here.tokens.update(updated.record.id, { types: { developer: { scopes: ['models:read'] } } });
    await here.tokens.rotate(rotated.record.id);
    const verdicts = [];
    for (const { token } of [revoked, deleted, updated, rotated])
      verdicts.push(verdict(await there.authorize({ token, requirement: { endpoint: 'a' } })));
    expect(verdicts).toEqual(['token_revoked', 'token_unknown', 'endpoint_not_granted', 'token_revoked']);
    await here.endpoints.update('a', { access: 'private' });
    expect(there.tryAuthorize({ requirement: { endpoint: 'a' } })).toBeNull();
    expect(verdict(await there.authorize({ requirement: { endpoint: 'a' } }))).toBe('endpoint_private');
  });

  test("without a feed, each sees the other's changes within the ttl", async () => {
    const inner = memoryStore();
    const clock = testClock();
    const here = createTestPostern({ store: controlledStore(inner, { feed: false }), clock }).postern;
    const there = createTestPostern({ store: controlledStore(inner, { feed: false }), clock }).postern;
    const { token, record } = await here.tokens.create({ name: 'x', types });
    expect((await there.authenticate(token)).ok).toBe(true);
    await here.tokens.revoke(record.id);
    clock.advance(29_999);
    expect((await there.authenticate(token)).ok).toBe(true);
    clock.advance(1);
    expect(await there.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  test.each(['revoke', 'delete'] as const)(
    'without a feed, a repeated %s takes effect here even if the other instance did it first',
    async (method) => {
      const inner = memoryStore();
      const clock = testClock();
      const here = createTestPostern({ store: controlledStore(inner, { feed: false }), clock }).postern;
      const there = createTestPostern({ store: controlledStore(inner, { feed: false }), clock }).postern;
      const { token, record } = await here.tokens.create({ name: 'x', types, owner: 'ada' });
      expect((await here.authenticate(token)).ok).toBe(true);
      await there.tokens[method](record.id);
      expect((await here.authenticate(token)).ok).toBe(true);
      await here.tokens[method](record.id);
      expect((await here.authenticate(token)).ok).toBe(false);
    },
  );

  test('without a feed, revokeOwned takes effect here for a token that the other instance revoked first', async () => {
    const inner = memoryStore();
    const clock = testClock();
    const here = createTestPostern({ store: controlledStore(inner, { feed: false }), clock }).postern;
    const there = createTestPostern({ store: controlledStore(inner, { feed: false }), clock }).postern;
    const { token } = await here.tokens.create({ name: 'x', types, owner: 'ada' });
    await here.authenticate(token);
    await there.tokens.revokeOwned({ owner: 'ada' });
    expect(await here.tokens.revokeOwned({ owner: 'ada' })).toBe(0);
    expect(await here.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });
});

describe('when the clock is set back', () => {
  test('an expired token stays expired', async () => {
    const { postern, clock } = createTestPostern();
    const expired = await postern.tokens.create({ name: 'x', types, expiresIn: '1h' });
    const rotated = await postern.tokens.create({ name: 'x', types });
    await postern.tokens.rotate(rotated.record.id, { grace: '1h' });
    clock.advance(3_600_000);
    const both = async () => [
      (await postern.authenticate(expired.token)).ok,
      (await postern.authenticate(rotated.token)).ok,
    ];
    expect(await both()).toEqual([false, false]);
    clock.advance(-7_200_000);
    expect(await both()).toEqual([false, false]);
    expect(await postern.tokens.rotate(expired.record.id).catch(({ code }) => code)).toBe('token_expired');
    expect(
      await postern.tokens.update(expired.record.id, { expiresAt: new Date(START + 1e9) }).catch(({ code }) => code),
    ).toBe('token_expired');
  });

  test('the cache is emptied, and an event reports it', async () => {
    const { postern, store, clock, events } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types });
    const attempt: Attempt = { token, requirement: { endpoint: 'a' } };
    await postern.authorize(attempt);
    const before = reads(store);
    clock.advance(-86_400_000);
    expect(verdict(await postern.authorize(attempt))).toBe('allowed');
    expect(reads(store)).toBe(before + 2);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'clock' }));
  });

  test('to no number at all, calls are denied and a revocation still counts', async () => {
    const { postern, clock, store } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    await postern.authenticate(token);
    const gate = store.hold('revokeToken', 'before');
    const revocation = postern.tokens.revoke(record.id);
    const held = await gate.next();
    clock.set(new Date(Number.NaN));
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
    expect(postern.tryAuthorize({ token, requirement })).toBeNull();
    held.release();
    await revocation;
    clock.set(new Date(START));
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });
});

describe('during an outage with staleIfUnavailable', () => {
  /** An instance without a feed, and another one on the same store that makes changes. */
  function apart() {
    const inner = memoryStore();
    const store = controlledStore(inner, { feed: false });
    const { postern: elsewhere } = createTestPostern({ store: inner });
    return { ...createTestPostern({ store, cache: { ttl: '10s', staleIfUnavailable: '1h' } }), elsewhere };
  }

  test('a token seen as deleted stays unknown', async () => {
    const { postern, store, clock, elsewhere } = apart();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    expect((await postern.authorize({ token, requirement })).allowed).toBe(true);
    await elsewhere.tokens.delete(record.id);
    clock.advance(10_000);
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
    store.fail('findTokenByDigest', 'reject');
    clock.advance(6_000);
    expect((await postern.authorize({ token, requirement })).allowed).toBe(false);
  });

  test('a deleted public endpoint stays unknown, also as the only one of its organization', async () => {
    const { postern, store, clock, elsewhere } = apart();
    await postern.endpoints.create({ id: 'open', access: 'public' });
    const ask = async () => verdict(await postern.authorize({ requirement: { endpoint: 'open' } }));
    expect(await ask()).toBe('allowed');
    await elsewhere.endpoints.delete('open');
    clock.advance(10_000);
    expect(await ask()).toBe('endpoint_unknown');
    store.fail('listEndpoints', 'reject');
    clock.advance(11_000);
    expect(await ask()).toBe('endpoint_unknown');
  });

  test('a deleted token is not brought back by a read that began before', async () => {
    const { postern, store, clock, elsewhere } = apart();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const other = await postern.tokens.create({ name: 'y', types });
    const held = store.hold('findTokenByDigest', 'after');
    const early = postern.authorize({ token, requirement });
    const first = await held.next();
    held.end();
    await elsewhere.tokens.delete(record.id);
    clock.advance(1);
    // The change of another token keeps the next read from joining the one under way.
    await postern.tokens.update(other.record.id, { name: 'z' });
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
    first.release();
    await early;
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
  });
});
