import { createPostern, memoryStore } from 'postern';
import { describe, expect, it, vi } from 'vitest';
import { leasesOf } from '../support/leases.js';
import { createWorld, issue, models, type Options, settled, TRIMMING, useFakeTimers } from './lease-world.js';

useFakeTimers();

describe('while the store is down', () => {
  const down = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });

  async function opened(options: Options = {}) {
    const world = createWorld(options);
    const { token, record } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    await world.pass(2);
    return { ...world, record, lease };
  }

  it('a lease survives two looks, and ends at the third', async () => {
    const { store, pass, lease } = await opened();
    store.fail('findTokenByDigest', 'reject', down);
    await pass(30 + 30);
    expect(lease.reasons()).toEqual([]);
    await pass(30);
    expect(lease.reasons()).toEqual(['unavailable']);
    expect(lease.ended[0]).toMatchObject({ cause: 'store' });
  });

  it('a blip ends nothing, and looks are counted anew after it', async () => {
    const { store, pass, lease } = await opened();
    for (let blip = 0; blip < 3; blip++) {
      store.fail('findTokenByDigest', 'reject', down);
      await pass(60);
      store.mend();
      await pass(60);
    }
    expect(lease.reasons()).toEqual([]);
  });

  it('a read that is never answered is an outage', async () => {
    const { store, pass, lease } = await opened();
    store.hold('findTokenByDigest', 'before');
    await pass(90);
    expect(lease.reasons()).toEqual([]);
    await pass(35);
    expect(lease.reasons()).toEqual(['unavailable']);
    expect(vi.getTimerCount()).toBe(TRIMMING);
  });

  it('a revocation that was seen ends a lease, whatever becomes of the read', async () => {
    const { store, postern, pass, lease, record } = await opened();
    await postern.tokens.revoke(record.id);
    store.fail('findTokenByDigest', 'reject', down);
    await settled();
    await pass(90);
    expect(lease.ended).toHaveLength(1);
  });

  it('staleIfUnavailable lets leases go on as it lets calls', async () => {
    const { store, pass, lease } = await opened({ cache: { staleIfUnavailable: '5m' } });
    store.fail('findTokenByDigest', 'reject', down);
    await pass(300);
    expect(lease.reasons()).toEqual([]);
    await pass(150);
    expect(lease.reasons()).toEqual(['unavailable']);
  });

  it('a record that can not be read is no outage: it ends the lease at once', async () => {
    const { store, pass, lease } = await opened();
    store.answer('findTokenByDigest', () => ({ token: {}, secret: {} }));
    await pass(30);
    expect(lease.reasons()).toEqual(['internal_error']);
  });

  it('a clock that fails ends the lease', async () => {
    let now = (): number => Date.UTC(2026, 0, 1);
    const postern = createPostern({ store: memoryStore(), clock: () => now(), onEvent: () => {} });
    const { token } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['models:read'] } } });
    const reasons: string[] = [];
    leasesOf(postern).open({ token, requirement: models }, ({ reason }) => reasons.push(reason));
    now = () => Number.NaN;
    await vi.advanceTimersByTimeAsync(1_000);
    await settled();
    expect(reasons).toEqual(['internal_error']);
  });
});
