import { memoryStore } from 'postern';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, vi } from 'vitest';
import {
  type Attempt,
  createWorld,
  issue,
  models,
  settled,
  summarizer,
  TRIMMING,
  useFakeTimers,
} from './lease-world.js';

useFakeTimers();

describe('a thousand leases', () => {
  it.each([false, undefined] as const)('cost as many reads as one (cache: %s)', async (cache) => {
    const costs: number[] = [];
    for (const count of [1, 1_000]) {
      const world = createWorld({ cache, feed: false });
      const { token } = await issue(world, { expiresIn: '30d' });
      const leases = Array.from({ length: count }, () =>
        // Each request computes a requirement of its own.
        world.hold({ token, requirement: { endpoint: 'summarizer' }, method: 'GET' }),
      );
      const before = world.reads();
      await world.pass(300);
      costs.push(world.reads() - before);
      expect(leases.every(({ ended }) => ended.length === 0)).toBe(true);
      expect(world.leases.count()).toEqual({ leases: count, groups: 1 });
    }
    expect(costs[1]).toBe(costs[0]);
    expect(costs[0]).toBeGreaterThanOrEqual(10);
  });

  it('end with one look', async () => {
    const world = createWorld({ cache: false });
    const { token, record } = await issue(world);
    const leases = Array.from({ length: 1_000 }, () => world.hold({ token, requirement: models }));
    await world.pass(2);
    const before = world.reads();
    await world.postern.tokens.revoke(record.id);
    const ofTheRevocation = world.reads() - before;
    await settled();
    expect(leases.flatMap((lease) => lease.reasons())).toEqual(Array(1_000).fill('token_revoked'));
    // The change is told twice: by the call, and by the feed.
    expect(world.reads() - before - ofTheRevocation).toBeLessThanOrEqual(2);
  });

  it('of as many tokens are all looked at when the feed is lost, every 5 seconds then, and when it is back', async () => {
    const inner = memoryStore();
    let tell: Parameters<NonNullable<typeof inner.subscribe>>[0] = () => {};
    const subscribe: typeof inner.subscribe = (listener) => {
      tell = listener;
      return () => {};
    };
    const world = createWorld({ store: { ...inner, subscribe } });
    const elsewhere = createTestPostern({ store: inner });
    const issued = await Promise.all(Array.from({ length: 1_000 }, () => world.issue({ scopes: ['models:read'] })));
    const leases = issued.map(({ token }) => world.hold({ token, requirement: models }));
    const ended = () => leases.filter(({ ended }) => ended.length > 0).length;
    const revoke = async (from: number, to: number) => {
      for (const { record } of issued.slice(from, to)) await elsewhere.postern.tokens.revoke(record.id);
    };
    await world.pass(2);
    expect(world.leases.count()).toEqual({ leases: 1_000, groups: 1_000 });
    await revoke(0, 100);
    expect(ended()).toBe(0);
    tell({ kind: 'lost', error: new Error('gone') });
    // Read a second ago: it may be served for 4 more.
    await world.pass(3);
    expect(ended()).toBe(0);
    await world.pass(1);
    expect(ended()).toBe(100);
    await revoke(100, 200);
    await world.pass(5);
    expect(ended()).toBe(200);
    await revoke(200, 300);
    tell({ kind: 'restored' });
    await settled();
    expect(ended()).toBe(300);
  });

  it('are kept apart by everything that a recheck depends on', async () => {
    const world = createWorld();
    const one = await issue(world);
    const two = await issue(world);
    await world.postern.endpoints.create({ id: 'inside', access: 'private' });
    const attempts: Attempt[] = [
      { token: one.token, requirement: models },
      { token: two.token, requirement: models },
      { token: one.token, requirement: summarizer },
      { token: one.token, requirement: models, method: 'GET' },
      { token: one.token, requirement: models, zone: 'internal' },
      { token: one.token, requirement: { scope: 'models:read', organization: 'default' } },
      { token: null, requirement: { endpoint: 'inside' }, zone: 'internal' },
    ];
    for (const attempt of [...attempts, ...attempts]) world.hold(attempt);
    await world.pass(2);
    expect(world.leases.count()).toEqual({ leases: 14, groups: 7 });
  });
});

describe('nothing is left', () => {
  it('of leases that were closed, whether they were short or long', async () => {
    const world = createWorld();
    const { token } = await issue(world);
    const long = Array.from({ length: 50 }, () => world.hold({ token, requirement: models }));
    await world.pass(2);
    const short = Array.from({ length: 50 }, () => world.hold({ token, requirement: models }));
    expect(world.leases.count()).toEqual({ leases: 100, groups: 1 });
    for (const lease of [...long, ...short]) {
      lease.close();
      lease.close();
    }
    expect(world.leases.count()).toEqual({ leases: 0, groups: 0 });
    await world.pass(1);
    const uses = 1;
    expect(vi.getTimerCount()).toBeLessThanOrEqual(TRIMMING + uses);
  });

  it('of a look that is answered after the lease was closed', async () => {
    const world = createWorld({ cache: false });
    const { token } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    const gate = world.store.hold('findTokenByDigest', 'after');
    await world.pass(1);
    const held = await gate.next();
    lease.close();
    held.release();
    await settled();
    expect(world.leases.count()).toEqual({ leases: 0, groups: 0 });
    expect(vi.getTimerCount()).toBe(TRIMMING);
  });

  it('of a lease whose callback throws: the others end all the same', async () => {
    const world = createWorld();
    const { token, record } = await issue(world);
    world.leases.open({ token, requirement: models }, () => {
      throw new Error('the application');
    });
    const other = world.hold({ token, requirement: models });
    await world.postern.tokens.revoke(record.id);
    await settled();
    expect(other.reasons()).toEqual(['token_revoked']);
  });

  it('to tell of a lease that its own callback closes', async () => {
    const world = createWorld();
    const { token, record } = await issue(world);
    const ended: string[] = [];
    const all = Array.from({ length: 3 }, () =>
      world.leases.open({ token, requirement: models }, ({ reason }) => {
        ended.push(reason);
        for (const each of all) each.close();
      }),
    );
    await world.postern.tokens.revoke(record.id);
    await settled();
    expect(ended).toEqual(['token_revoked']);
  });
});
