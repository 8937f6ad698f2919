import { memoryStore } from 'postern';
import { type ControlledStore, controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { type Attempt, START, verdict, withWrongChecksum } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] }, user: { endpoints: '*' } } as const;
const requirement = { scope: 'models:read' } as const;
const reads = (store: ControlledStore) =>
  store.count('findTokenByDigest', 'listEndpoints', 'findEndpoint', 'findToken');

describe('the warm path', () => {
  test('reads nothing, and answers without a promise', async () => {
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

  test('what was never read has no answer without a promise', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types });
    expect(postern.tryAuthorize({ token, requirement })).toBeNull();
    expect(postern.tryAuthorize({ token, requirement: { endpoint: 'a' } })).toBeNull();
  });

  test('a public requirement reads nothing at all', async () => {
    const { postern, store } = createTestPostern();
    expect(postern.tryAuthorize({ token: 'anything', requirement: { public: true } })).toEqual({
      allowed: true,
      principal: null,
    });
    expect(store.count()).toBe(0);
  });

  test('1,000 who ask for one cold token at once share one read', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const asked = Array.from({ length: 1000 }, () => postern.authorize({ token, requirement: { endpoint: 'a' } }));
    expect((await Promise.all(asked)).every(({ allowed }) => allowed)).toBe(true);
    expect([store.count('findTokenByDigest'), store.count('listEndpoints')]).toEqual([1, 1]);
  });

  test('who shares a read that fails is told so, and the next one reads again', async () => {
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

describe('the bound of what is served', () => {
  test.each([
    ['30 s, the default', {}, 30_000],
    ['chosen', { cache: { ttl: '5s' } }, 5_000],
  ] as const)('ttl: %s', async (_, options, ttl) => {
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

  test('a slow endpoint read does not stretch it for the token', async () => {
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

  test('cache: false reads for each call, for the endpoint too, whatever the clock does', async () => {
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

  test("one organization's change makes no other organization's endpoints be read again", async () => {
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

  test('maxTokens bounds what is remembered; what was pushed out is read again', async () => {
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

  test('expiry is judged at each call, not when the token was read', async () => {
    const { postern, clock } = createTestPostern({ cache: { ttl: '1d' } });
    const { token } = await postern.tokens.create({ name: 'x', types, expiresIn: '10m' });
    expect((await postern.authenticate(token)).ok).toBe(true);
    clock.advance(600_000);
    expect(postern.tryAuthorize({ token, requirement })).toEqual({ allowed: false, reason: 'token_expired' });
  });

  test('what ended while the store took its time has ended', async () => {
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

describe('tokens that nobody issued', () => {
  test('are remembered for a little while, apart from the good ones', async () => {
    const { postern, store, clock } = createTestPostern();
    const stranger = (await createTestPostern().postern.tokens.create({ name: 'x', types })).token;
    for (let i = 0; i < 10; i++)
      expect(await postern.authenticate(stranger)).toEqual({ ok: false, reason: 'token_unknown' });
    expect(store.count('findTokenByDigest')).toBe(1);
    clock.advance(5_000);
    await postern.authenticate(stranger);
    expect(store.count('findTokenByDigest')).toBe(2);
  });

  test('a wrong checksum or another form costs no read', async () => {
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

  test('a flood of them pushes out no good one', async () => {
    const { postern } = createTestPostern({ cache: { maxTokens: 100 } });
    const { token } = await postern.tokens.create({ name: 'x', types });
    await postern.authenticate(token);
    const elsewhere = createTestPostern().postern;
    for (let i = 0; i < 500; i++)
      await postern.authenticate((await elsewhere.tokens.create({ name: 'x', types })).token);
    expect(postern.tryAuthorize({ token, requirement })).toMatchObject({ allowed: true });
  });
});

describe('a flood of endpoint names', () => {
  test('10,000 distinct unknown names cost one read in all', async () => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    for (let i = 0; i < 10_000; i++) {
      const attempt = { requirement: { endpoint: `flood-${i}` } };
      expect(verdict(postern.tryAuthorize(attempt) ?? (await postern.authorize(attempt)))).toBe('endpoint_unknown');
    }
    expect(reads(store)).toBe(1);
  });

  test('at once, too', async () => {
    const { postern, store } = createTestPostern();
    await Promise.all(
      Array.from({ length: 10_000 }, (_, i) => postern.authorize({ requirement: { endpoint: `flood-${i}` } })),
    );
    expect(reads(store)).toBe(1);
  });

  test('a name that is registered later is known at once', async () => {
    const { postern } = createTestPostern();
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('endpoint_unknown');
    await postern.endpoints.create({ id: 'a', access: 'public' });
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('allowed');
  });

  test('more than a page of endpoints is read whole', async () => {
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

describe('two instances on one store', () => {
  test('with a feed see each other at once', async () => {
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

  test('without one, within the ttl', async () => {
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
    'without one, a %s here of what the other one did first holds here at once',
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

  test("without one, a leaver's token that the other one revoked is refused here once it was revoked here", async () => {
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

describe('a clock that is set back', () => {
  test('revives nothing: what has ended has ended', async () => {
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

  test('makes the caches forget, and is reported', async () => {
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

  test('one that gives no number denies, and keeps no revocation out', async () => {
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

describe('gone is gone, though the store is down and old answers may be served', () => {
  /** An instance that no feed tells of changes, and another one on the same store that makes them. */
  function apart() {
    const inner = memoryStore();
    const store = controlledStore(inner, { feed: false });
    const { postern: elsewhere } = createTestPostern({ store: inner });
    return { ...createTestPostern({ store, cache: { ttl: '10s', staleIfUnavailable: '1h' } }), elsewhere };
  }

  test('a token that was seen deleted', async () => {
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

  test('the only endpoint of an organization, which was public', async () => {
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

  test('a read that began earlier and ends later does not bring it back', async () => {
    const { postern, store, clock, elsewhere } = apart();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const other = await postern.tokens.create({ name: 'y', types });
    const held = store.hold('findTokenByDigest', 'after');
    const early = postern.authorize({ token, requirement });
    const first = await held.next();
    held.end();
    await elsewhere.tokens.delete(record.id);
    clock.advance(1);
    // A change of another token: the next read does not join the one that is under way.
    await postern.tokens.update(other.record.id, { name: 'z' });
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
    first.release();
    await early;
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
  });
});
