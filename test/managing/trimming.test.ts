import { memoryStore, type PosternEvent } from 'postern';
import type { Store } from 'postern/store';
import { createTestPostern, type TestClock, testClock } from 'postern/testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { formatToken } from '../../src/domain/token-format.js';
import { aChange, anEntry, aSecret, aToken, insertToken } from '../../src/testing/store-cases/case.js';
import { START, thrown } from '../support/outcomes.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** A store with changes of these ages. */
async function aged(...ages: readonly number[]): Promise<Store> {
  const store = memoryStore();
  for (const [index, age] of ages.entries()) {
    const change = aChange('token.created', `t${index}`, 'acme', { at: START - age });
    await insertToken(store, aToken(`t${index}`), aSecret(`t${index}`), change);
  }
  return store;
}

const agesIn = async (store: Store) =>
  (await store.listChanges({ organization: null, limit: 5_000 })).map(({ at }) => START - at);

/** An instance on the store, with a clock of its own. */
const NOBODYS = formatToken('pst', new Uint8Array(32));

function running(store: Store, keep: '1d' | '30d' | undefined, clock = testClock()) {
  const events: PosternEvent[] = [];
  const { postern } = createTestPostern({
    store: { ...store, close: async () => {} },
    clock,
    onEvent: (event) => events.push(event),
    ...(keep !== undefined && { audit: { keep } }),
  });
  // Trimming begins with the first use of the store.
  void postern.authenticate(NOBODYS);
  return { postern, clock, events };
}

async function pass(clock: TestClock, time: number): Promise<void> {
  for (let passed = 0; passed < time; passed += MINUTE / 2) {
    clock.advance(MINUTE / 2);
    await vi.advanceTimersByTimeAsync(MINUTE / 2);
  }
}

it('changes older than audit.keep are removed a minute after the start, and later ones within two hours', async () => {
  const store = await aged(31 * DAY, 30 * DAY, 29 * DAY, 0);
  const { postern, clock } = running(store, '30d');
  await pass(clock, MINUTE);
  expect(await agesIn(store)).toEqual([0, 29 * DAY]);
  await pass(clock, DAY + 2 * HOUR);
  expect(await agesIn(store)).toEqual([0]);
  await postern.close();
});

it('daily counts of uses are removed after 90 days', async () => {
  const store = await aged(0);
  const counts = [100, 90, 89, 0].map((age) => ({ day: START / DAY - age, endpoint: 'a', scope: '', count: 1 }));
  await store.recordUsage([{ tokenId: 't0', lastUsedAt: START, counts }]);
  const { postern, clock } = running(store, undefined);
  await pass(clock, MINUTE);
  for (const of of [{ token: 't0' }, { organization: 'acme' }]) {
    const kept = await store.listDailyUsage({ of, from: 0, to: START / DAY, limit: 10 });
    expect(kept.map(({ day }) => START / DAY - day)).toEqual([89, 0]);
  }
  await postern.close();
});

it('an instance that was never used has no timer', async () => {
  const { postern } = createTestPostern();
  expect(vi.getTimerCount()).toBe(0);
  await postern.authenticate(NOBODYS);
  expect(vi.getTimerCount()).toBeGreaterThan(0);
  await postern.close();
});

it('without audit.keep changes are kept for ever', async () => {
  const store = await aged(9_000 * DAY);
  const { postern, clock } = running(store, undefined);
  await pass(clock, HOUR);
  expect(await agesIn(store)).toEqual([9_000 * DAY]);
  await postern.close();
});

it('changes and expired entries are removed in batches of at most 500', async () => {
  const store = await aged(...Array(1_200).fill(2 * DAY));
  for (let index = 0; index < 30; index++) {
    await store.putEntry(anEntry(`ended${index}`, { expiresAt: START - 1 }), 0, START - DAY);
  }
  await store.putEntry(anEntry('living', { expiresAt: START + 9 * DAY }), 0, START - DAY);
  const limits: number[] = [];
  const trimEntries = vi.fn(store.trimEntries);
  const watched = {
    ...store,
    trimEntries,
    trimChanges(before: number, limit: number) {
      limits.push(limit);
      return store.trimChanges(before, limit);
    },
  };
  const { postern, clock } = running(watched, '1d');
  await pass(clock, 2 * MINUTE);
  expect(await agesIn(store)).toEqual([]);
  expect(limits.length).toBeGreaterThan(2);
  expect(Math.max(...limits)).toBeLessThanOrEqual(500);
  // Entries that writes have removed before are not counted here.
  expect(await trimEntries.mock.results[0]?.value).toBeGreaterThan(10);
  expect(await store.findEntry('login', 'living', START)).not.toBeNull();
  await postern.close();
});

it('one of several processes trims each hour', async () => {
  const store = await aged(2 * DAY);
  const trimChanges = vi.fn(store.trimChanges);
  const clock = testClock();
  const posterns = Array.from({ length: 5 }, () => running({ ...store, trimChanges }, '1d', clock).postern);
  await pass(clock, MINUTE);
  expect(trimChanges).toHaveBeenCalledTimes(1);
  await pass(clock, 10 * HOUR);
  expect(trimChanges.mock.calls.length).toBeGreaterThanOrEqual(8);
  expect(trimChanges.mock.calls.length).toBeLessThanOrEqual(12);
  for (const postern of posterns) await postern.close();
});

it('a clock that jumps ten years ahead for a moment removes no recent change, and later trimming goes on', async () => {
  for (const moment of [MINUTE / 2, MINUTE, HOUR + MINUTE, 2 * HOUR + MINUTE]) {
    const store = await aged(2 * DAY, HOUR);
    const { postern, clock } = running(store, '1d');
    await pass(clock, moment - MINUTE / 2);
    clock.advance(3_650 * DAY);
    await pass(clock, MINUTE / 2);
    clock.advance(-3_650 * DAY);
    expect(await agesIn(store), String(moment)).toContain(HOUR);
    await pass(clock, 4 * HOUR);
    expect(await agesIn(store), String(moment)).toEqual([HOUR]);
    await postern.close();
  }
});

it('a failing store is reported as a fault event, and the next trimming works', async () => {
  const store = await aged(2 * DAY);
  const trimChanges = vi.fn(store.trimChanges).mockRejectedValueOnce(new Error('the disk is full'));
  const { postern, clock, events } = running({ ...store, trimChanges }, '1d');
  await pass(clock, MINUTE);
  expect(events).toMatchObject([{ type: 'fault', during: 'trimming', error: { code: 'unavailable' } }]);
  await pass(clock, 2 * HOUR);
  expect(await agesIn(store)).toEqual([]);
  await postern.close();
});

it('a closed instance trims nothing, and has no timer', async () => {
  const store = await aged(...Array(2_000).fill(2 * DAY));
  const { postern, clock, events } = running(store, '1d');
  clock.advance(MINUTE / 2);
  await vi.advanceTimersByTimeAsync(MINUTE / 2);
  clock.advance(MINUTE / 2);
  await vi.advanceTimersByTimeAsync(MINUTE / 2);
  await postern.close();
  const left = (await agesIn(store)).length;
  expect(left).toBeGreaterThan(0);
  await pass(clock, 3 * HOUR);
  expect((await agesIn(store)).length).toBe(left);
  expect(vi.getTimerCount()).toBe(0);
  expect(events).toEqual([]);
});

it.each([
  ['a number', { keep: 400 }, 'audit.keep'],
  ['less than a day', { keep: '23h' }, 'audit.keep'],
  ['a text that is not a duration', { keep: 'for ever' }, 'audit.keep'],
  ['an unknown option', { retain: '400d' }, 'audit.retain'],
])('audit refuses %s, and names the option', (_, audit, path) => {
  expect(thrown(() => createTestPostern({ audit } as never).postern)).toMatchObject({ path });
});
