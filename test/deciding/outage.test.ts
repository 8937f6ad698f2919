import { memoryStore } from 'postern';
import { controlledStore, createTestPostern, type TestPosternOptions } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import type { Invalidation } from '../../src/ports/store.js';
import { verdict } from '../support/outcomes.js';

const types = { user: { endpoints: '*' } } as const;
const requirement = { endpoint: 'summarizer' } as const;

async function known(options: TestPosternOptions) {
  const made = createTestPostern(options);
  await made.postern.endpoints.create({ id: 'summarizer', access: 'protected' });
  const { token, record } = await made.postern.tokens.create({ name: 'x', types });
  const ask = async () => verdict(await made.postern.authorize({ token, requirement }));
  expect(await ask()).toBe('allowed');
  const pullOut = () => {
    made.store.fail('findTokenByDigest', 'reject', new Error('ECONNREFUSED'));
    made.store.fail('listEndpoints', 'reject', new Error('ECONNREFUSED'));
  };
  return { ...made, token, record, ask, pullOut };
}

describe('a store that is down', () => {
  test('by default denies known tokens from the end of their ttl', async () => {
    const { ask, clock, pullOut, store } = await known({ cache: { ttl: '30s' } });
    pullOut();
    clock.advance(29_999);
    expect(await ask()).toBe('allowed');
    clock.advance(1);
    expect(await ask()).toBe('unavailable');
    store.mend();
    expect(await ask()).toBe('allowed');
  });

  test('with staleIfUnavailable denies known tokens from the end of that extra time', async () => {
    const { ask, clock, pullOut } = await known({ cache: { ttl: '30s', staleIfUnavailable: '5m' } });
    pullOut();
    clock.advance(329_999);
    expect(await ask()).toBe('allowed');
    clock.advance(1);
    expect(await ask()).toBe('unavailable');
  });

  test('denies tokens that are not cached', async () => {
    const { postern, pullOut } = await known({ cache: { staleIfUnavailable: '5m' } });
    const other = await postern.tokens.create({ name: 'y', types });
    pullOut();
    expect(verdict(await postern.authorize({ token: other.token, requirement }))).toBe('unavailable');
  });

  test('does not undo a revocation or an expiry that was seen before', async () => {
    const { ask, clock, postern, pullOut, record } = await known({ cache: { ttl: '1s', staleIfUnavailable: '1h' } });
    const brief = await postern.tokens.create({ name: 'y', types, expiresIn: '10s' });
    const askBrief = async () => verdict(await postern.authorize({ token: brief.token, requirement }));
    expect(await askBrief()).toBe('allowed');
    await postern.tokens.revoke(record.id);
    pullOut();
    clock.advance(5_000);
    expect(await ask()).toBe('unavailable');
    expect(await askBrief()).toBe('allowed');
    clock.advance(5_000);
    expect(await askBrief()).toBe('token_expired');
  });

  test('does not undo a change of access that was seen before', async () => {
    const { ask, clock, postern, pullOut } = await known({ cache: { ttl: '1s', staleIfUnavailable: '1h' } });
    await postern.endpoints.update('summarizer', { access: 'private' });
    pullOut();
    clock.advance(5_000);
    expect(await ask()).toBe('unavailable');
  });
});

describe('a feed', () => {
  function withFeed() {
    const listeners: ((invalidation: Invalidation) => void)[] = [];
    const inner = memoryStore();
    const store = controlledStore({
      ...inner,
      subscribe(listener) {
        listeners.push(listener);
        return () => {};
      },
    });
    const tell = (invalidation: Invalidation) => {
      for (const listener of listeners) listener(invalidation);
    };
    return { store, tell };
  }

  test('makes the changed token or endpoints be read again', async () => {
    const { store, tell } = withFeed();
    const { ask, record } = await known({ store });
    const reads = () => store.count('findTokenByDigest', 'listEndpoints');
    const before = reads();
    await ask();
    expect(reads()).toBe(before);
    tell({ kind: 'token', id: record.id });
    await ask();
    expect(reads()).toBe(before + 1);
    tell({ kind: 'endpoints', organization: 'default' });
    await ask();
    expect(reads()).toBe(before + 2);
    tell({ kind: 'everything' });
    await ask();
    expect(reads()).toBe(before + 4);
  });

  test('that is lost is reported, and until it is back nothing older than 5 seconds is served', async () => {
    const { store, tell } = withFeed();
    const { ask, clock, events } = await known({ store, cache: { ttl: '1h' } });
    const reads = () => store.count('findTokenByDigest');
    tell({ kind: 'lost', error: new Error('connection terminated') });
    expect(events).toContainEqual(expect.objectContaining({ type: 'feed', connected: false }));
    const before = reads();
    clock.advance(4_999);
    await ask();
    expect(reads()).toBe(before);
    clock.advance(1);
    await ask();
    expect(reads()).toBe(before + 1);
    tell({ kind: 'restored' });
    expect(events).toContainEqual(expect.objectContaining({ type: 'feed', connected: true }));
    await ask();
    expect(reads()).toBe(before + 2);
    clock.advance(600_000);
    await ask();
    expect(reads()).toBe(before + 2);
  });
});

describe('revoke with wait', () => {
  test('tells how many processes have acknowledged', async () => {
    const { postern, record } = await known({});
    expect(await postern.tokens.revoke(record.id, { wait: true })).toEqual({ acknowledged: 1, missing: 0 });
    expect(await postern.tokens.revoke(record.id)).toBeUndefined();
  });

  test('on a store that can not ask, waits for the ttl', async () => {
    const inner = memoryStore();
    const store = controlledStore({ ...inner, confirm: undefined } as never);
    const { postern, record } = await known({ store, cache: { ttl: '20ms' } });
    const before = performance.now();
    expect(await postern.tokens.revoke(record.id, { wait: true })).toEqual({ acknowledged: 1, missing: 0 });
    expect(performance.now() - before).toBeGreaterThan(18);
  });

  test('resolves if asking fails, because the token is revoked', async () => {
    const { postern, record, store, events } = await known({ cache: { ttl: '20ms' } });
    store.fail('confirm', 'reject', new Error('ECONNREFUSED'));
    expect(await postern.tokens.revoke(record.id, { wait: true })).toEqual({ acknowledged: 1, missing: 0 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'feed' }));
    expect((await postern.tokens.get(record.id))?.revokedAt).not.toBeNull();
  });
});
