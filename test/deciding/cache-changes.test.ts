import { memoryStore } from 'postern';
import { type ControlledStore, controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { type Attempt, START, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] }, user: { endpoints: '*' } } as const;
const requirement = { scope: 'models:read' } as const;
const reads = (store: ControlledStore) =>
  store.count('findTokenByDigest', 'listEndpoints', 'findEndpoint', 'findToken');

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
