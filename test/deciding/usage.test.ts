import { createTestPostern } from 'postern/testing';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { START } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;
const FLUSH = 10_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function used() {
  const made = createTestPostern();
  const { token, record } = await made.postern.tokens.create({ name: 'x', types });
  const lastUsedAt = async () => (await made.postern.tokens.get(record.id))?.lastUsedAt?.getTime() ?? null;
  return { ...made, token, record, lastUsedAt, use: () => made.postern.authorize({ token, requirement }) };
}

describe('lastUsedAt', () => {
  test('is written in one batch after the calls', async () => {
    const { postern, store, use, lastUsedAt, clock } = await used();
    const other = await postern.tokens.create({ name: 'y', types });
    clock.advance(5);
    for (let i = 0; i < 100; i++) await use();
    await postern.authorize({ token: other.token, requirement });
    expect([store.count('recordUsage'), await lastUsedAt()]).toEqual([0, null]);
    await vi.advanceTimersByTimeAsync(FLUSH);
    expect([store.count('recordUsage'), await lastUsedAt()]).toEqual([1, START + 5]);
    expect((await postern.tokens.get(other.record.id))?.lastUsedAt).toEqual(new Date(START + 5));
  });

  test('is not written if nothing was used', async () => {
    const { store } = await used();
    await vi.advanceTimersByTimeAsync(10 * FLUSH);
    expect(store.count('recordUsage')).toBe(0);
  });

  test('is written once in each interval of use', async () => {
    const { store, use, lastUsedAt, clock } = await used();
    for (let i = 1; i <= 3; i++) {
      clock.advance(1000);
      await use();
      await use();
      await vi.advanceTimersByTimeAsync(FLUSH);
      expect([store.count('recordUsage'), await lastUsedAt()]).toEqual([i, START + i * 1000]);
    }
  });

  test('is written on close', async () => {
    const { postern, store, use } = await used();
    await use();
    await postern.close();
    expect([store.count('recordUsage'), store.count('close')]).toEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('never moves back, also with a clock set back', async () => {
    const { use, lastUsedAt, clock } = await used();
    clock.advance(60_000);
    await use();
    await vi.advanceTimersByTimeAsync(FLUSH);
    clock.advance(-30_000);
    await use();
    await vi.advanceTimersByTimeAsync(FLUSH);
    expect(await lastUsedAt()).toBe(START + 60_000);
  });

  test('is not changed by a call with a revoked token', async () => {
    const { postern, record, token, lastUsedAt, use } = await used();
    await postern.tokens.revoke(record.id);
    await use();
    await postern.authorize({ token, requirement: { public: true } });
    await vi.advanceTimersByTimeAsync(FLUSH);
    expect(await lastUsedAt()).toBeNull();
  });

  test('does not conflict with an update, nor is lost by one', async () => {
    const { postern, record, use, lastUsedAt } = await used();
    await use();
    await vi.advanceTimersByTimeAsync(FLUSH);
    await postern.tokens.update(record.id, { name: 'y' });
    expect(await lastUsedAt()).toBe(START);
    expect((await postern.tokens.get(record.id))?.updatedAt).toEqual(new Date(START));
  });
});

describe('a store that fails to write lastUsedAt', () => {
  test('is asked again later, and calls do not fail', async () => {
    const { store, use, lastUsedAt, events, clock } = await used();
    await use();
    store.fail('recordUsage', 'reject');
    await vi.advanceTimersByTimeAsync(FLUSH);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'usage', at: new Date(START) }));
    expect((await use()).allowed).toBe(true);
    store.mend();
    clock.advance(7);
    await vi.advanceTimersByTimeAsync(FLUSH);
    expect(await lastUsedAt()).toBe(START);
  });

  test('does not replace a later use by an earlier one', async () => {
    const { store, use, lastUsedAt, clock } = await used();
    await use();
    store.fail('recordUsage', 'reject');
    await vi.advanceTimersByTimeAsync(FLUSH);
    clock.advance(50);
    await use();
    store.mend();
    await vi.advanceTimersByTimeAsync(FLUSH);
    expect(await lastUsedAt()).toBe(START + 50);
  });

  test('does not keep the instance from closing, and no timer is left', async () => {
    const { postern, store, use } = await used();
    await use();
    store.fail('recordUsage', 'reject');
    await postern.close();
    expect(store.count('close')).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(5 * FLUSH);
    expect(store.count('recordUsage')).toBe(1);
  });
});
