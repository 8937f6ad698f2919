import type { bentocloudTokenTypes, Requirement } from 'postern';
import { createTestPostern } from 'postern/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { refusal, START } from '../support/outcomes.js';

/** START, in days since 1970. */
const DAY = 20_454;

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

describe('usage by day', () => {
  test('is told by day, endpoint and scopes, of a token and of its organization', async () => {
    const { postern, clock, token, record } = await setUp();
    const other = await postern.tokens.create({ name: 'y', types: { developer: { scopes: ['*'] } } });
    const use = (secret: string, requirement: Requirement<typeof bentocloudTokenTypes>) =>
      postern.authorize({ token: secret, requirement });
    await use(token, { endpoint: 'a' });
    await use(token, { endpoint: 'a' });
    await use(token, { scope: 'models:read' });
    clock.advance('1d');
    await use(token, { endpoint: 'a' });
    await use(other.token, { scope: ['models:read', 'iam:read', 'models:read'] });
    await use(other.token, { authenticated: true });
    await postern.flush();
    const ofToken = [
      { day: '2026-01-01', endpoint: null, scopes: ['models:read'], count: 1 },
      { day: '2026-01-01', endpoint: 'a', scopes: [], count: 2 },
      { day: '2026-01-02', endpoint: 'a', scopes: [], count: 1 },
    ];
    expect(await postern.tokens.usage(record.id, { by: 'day' })).toEqual(ofToken);
    const all = [
      ...ofToken.slice(0, 2),
      { day: '2026-01-02', endpoint: null, scopes: [], count: 1 },
      { day: '2026-01-02', endpoint: null, scopes: ['iam:read', 'models:read'], count: 1 },
      ...ofToken.slice(2),
    ];
    expect(await postern.usage()).toEqual(all);
    expect(await postern.usage({ from: new Date('2026-01-02T23:00:00Z') })).toEqual(all.slice(2));
    expect(await postern.usage({ to: new Date('2026-01-01T00:00:00Z') })).toEqual(ofToken.slice(0, 2));
    expect((await postern.tokens.usage(record.id)).map(({ count }) => count)).toEqual([1, 3]);
  });

  test('is of 90 days at most', async () => {
    const { postern, clock, token, record } = await setUp();
    await postern.authorize({ token, requirement: { endpoint: 'a' } });
    await postern.flush();
    clock.advance('89d');
    expect(await postern.usage()).toHaveLength(1);
    clock.advance('1d');
    expect(await postern.usage({ from: new Date(START) })).toEqual([]);
    expect(await postern.tokens.usage(record.id, { by: 'day' })).toEqual([]);
  });

  test('of another organization is not told to a principal', async () => {
    const { postern, token } = await setUp();
    await postern.authorize({ token, requirement: { endpoint: 'a' } });
    await postern.flush();
    const stranger = postern.as({ organization: 'other', owner: 'eve', types: {} });
    expect(await stranger.usage()).toEqual([]);
    expect((await refusal(stranger.usage({ organization: 'default' }))).code).toBe('organization_forbidden');
    expect(await postern.as({ organization: 'default', owner: 'ann', types: {} }).usage()).toHaveLength(1);
  });

  test('is refused for other words', async () => {
    const { postern, record } = await setUp();
    expect(await refusal(postern.tokens.usage(record.id, { by: 'week' } as never))).toMatchObject({ path: 'by' });
    expect(await refusal(postern.usage({ from: '2026-01-01' } as never))).toMatchObject({ path: 'from' });
    expect(await refusal(postern.usage({ since: new Date() } as never))).toMatchObject({ code: 'option_unknown' });
  });

  test('that could not be written for days is written later, each use on its day', async () => {
    const { postern, store, clock, token, record } = await setUp();
    for (let day = 0; day < 5; day++) {
      store.fail('recordUsage', 'reject');
      await postern.authorize({ token, requirement: { endpoint: 'a' } });
      await postern.flush();
      clock.advance('1d');
    }
    expect(await postern.usage()).toEqual([]);
    store.mend();
    await postern.flush();
    expect((await postern.tokens.usage(record.id, { by: 'day' })).map(({ count }) => count)).toEqual([1, 1, 1, 1, 1]);
  });
});
