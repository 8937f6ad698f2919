import { createTestPostern } from 'postern/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { START } from '../support/outcomes.js';

afterEach(() => {
  vi.useRealTimers();
});

const types = { user: { endpoints: '*' }, developer: { scopes: ['models:read'] } } as const;

async function setUp() {
  const made = createTestPostern();
  await made.postern.endpoints.create({ id: 'a', access: 'protected' });
  await made.postern.endpoints.create({ id: 'b', access: 'protected' });
  const { token, record } = await made.postern.tokens.create({ name: 'x', types });
  return { ...made, token, record };
}

describe('usage', () => {
  test('is counted by token and endpoint, and written when the instance closes', async () => {
    const { postern, store, clock, token, record } = await setUp();
    for (let i = 0; i < 3; i++) await postern.authorize({ token, requirement: { endpoint: 'a' } });
    clock.advance(5_000);
    await postern.authorize({ token, requirement: { endpoint: 'b' } });
    await postern.authorize({ token, requirement: { scope: 'models:read' } });
    await postern.authorize({ token, requirement: { scope: 'iam:write' } });
    await postern.explain({ token, requirement: { endpoint: 'a' } });
    expect(await postern.tokens.usage(record.id)).toEqual([]);
    const written: unknown[] = [];
    const { recordUsage } = store;
    Object.assign(store, {
      recordUsage: (usages: unknown) => {
        written.push(usages);
        return recordUsage(usages as never);
      },
    });
    await postern.close();
    expect(written).toEqual([
      [
        {
          tokenId: record.id,
          lastUsedAt: START + 5_000,
          counts: [
            { day: DAY, endpoint: 'a', scope: '', count: 3 },
            { day: DAY, endpoint: 'b', scope: '', count: 1 },
            { day: DAY, endpoint: '', scope: 'models:read', count: 1 },
          ],
        },
      ],
    ]);
  });

  test('that could not be written is written later, and counted once', async () => {
    vi.useFakeTimers();
    const { postern, store, clock, token, record } = await setUp();
    await postern.authorize({ token, requirement: { endpoint: 'a' } });
    store.fail('recordUsage', 'reject');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await postern.tokens.usage(record.id)).toEqual([]);
    clock.advance(10_000);
    await postern.authorize({ token, requirement: { endpoint: 'a' } });
    store.mend();
    await vi.advanceTimersByTimeAsync(10_000);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await postern.tokens.usage(record.id)).toEqual([
      { endpoint: 'a', count: 2, lastUsedAt: new Date(START + 10_000) },
    ]);
    expect(store.count('recordUsage')).toBe(2);
    expect(await postern.tokens.get(record.id)).toMatchObject({ lastUsedAt: new Date(START + 10_000) });
  });
});

describe("a preview of an endpoint's change", () => {
  test('tells who gains and loses access, the last users first', async () => {
    const { postern, clock } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    await postern.endpoints.create({ id: 'b', access: 'protected' });
    const named = await postern.tokens.create({ name: 'named', types: { user: { endpoints: ['a'] } } });
    const all = await postern.tokens.create({ name: 'all', types: { user: { endpoints: '*' } } });
    await postern.tokens.create({ name: 'other', types: { user: { endpoints: ['b'] } } });
    await postern.tokens.create({ name: 'expired', types: { user: { endpoints: ['a'] } }, expiresIn: '1s' });
    const revoked = await postern.tokens.create({ name: 'revoked', types: { user: { endpoints: ['a'] } } });
    await postern.tokens.revoke(revoked.record.id);
    clock.advance(1_000);

    const names = (tokens: readonly { record: { name: string } }[]) => tokens.map(({ record }) => record.name).sort();
    const closing = await postern.endpoints.preview('a', { access: 'private' });
    expect(closing).toMatchObject({ from: 'protected', to: 'private', openToAnyone: false, gain: [] });
    expect(names(closing.lose)).toEqual(['all', 'named']);
    const opening = await postern.endpoints.preview('a', { access: 'public' });
    expect(opening).toMatchObject({ openToAnyone: true, lose: [] });
    expect(names(opening.gain)).toEqual(['other']);
    expect(await postern.endpoints.preview('a', { access: 'protected' })).toMatchObject({ gain: [], lose: [] });
    // A preview changes nothing.
    expect(await postern.endpoints.get('a')).toMatchObject({ access: 'protected' });
    expect([named, all]).toHaveLength(2);
    await expect(postern.endpoints.preview('nowhere', { access: 'public' })).rejects.toMatchObject({
      code: 'endpoint_unknown',
    });
  });
});
