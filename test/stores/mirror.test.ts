import { createPostern } from 'postern';
import type { Mirror } from 'postern/store';
import { sqlStore } from 'postern/stores/sql';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { primaryWithReplicas } from './lagging-replica.js';
import { pass, SETTLED, types, use, useTestTimers, world, write } from './mirror-world.js';

useTestTimers();

describe('a store with a replica', () => {
  it('reads tokens and endpoints from it for verification, and nothing from the primary', async () => {
    const here = await world();
    const { token } = await here.known();
    const before = here.reads();
    expect(await here.askAnew(token, use)).toEqual(['allowed', 'replica']);
    expect(here.reads()).toBe(before);
  });

  it('is read from again soon after a change, however often the token is used and read', async () => {
    const here = await world();
    const { token, id } = await here.known();
    await here.near.postern.tokens.update(id, { name: 'own change' });
    here.replica.hold();
    for (let read = 0; read < 20; read++) {
      await here.near.store.recordUsage([{ tokenId: id, lastUsedAt: here.clock.now() + read, counts: [] }]);
      await here.askAnew(token);
      here.replica.release();
      here.replica.hold();
      await pass(500);
    }
    expect(await here.askAnew(token)).toEqual(['allowed', 'replica']);
  });

  it('finds a new token at once', async () => {
    const here = await world();
    await here.known();
    here.replica.hold();
    const { token } = await here.create();
    expect(await here.askAnew(token)).toEqual(['allowed', 'absent']);
  });

  it('asks the primary for an unknown token, too', async () => {
    const here = await world();
    const { token, id } = await here.known();
    await here.far.postern.tokens.delete(id);
    await pass(SETTLED);
    expect(await here.askAnew(token)).toEqual(['token_unknown', 'absent']);
  });

  it('reads for management from the primary', async () => {
    const here = await world();
    const { token, id } = await here.known();
    here.replica.hold();
    await here.far.postern.tokens.update(id, { name: 'renamed' });
    const before = here.replica.reads;
    const { tokens, endpoints } = here.near.postern;
    expect((await tokens.get(id))?.name).toBe('renamed');
    await tokens.update(id, { description: 'edited' });
    expect(await endpoints.get('a')).toMatchObject({ access: 'protected' });
    expect((await endpoints.list()).items).toHaveLength(1);
    expect((await tokens.list()).items.map((each) => each.id)).toContain(id);
    await tokens.revokeSecret(token);
    expect(here.replica.reads).toBe(before);
  });

  it('knows nothing of a mark from before the machine was suspended: the monotonic clock stood still then', async () => {
    const here = await world();
    const { token, id } = await here.known();
    here.replica.hold();
    await here.far.postern.tokens.revoke(id);
    const resumed = Date.now() + 3_600_000;
    const clock = vi.spyOn(Date, 'now').mockReturnValue(resumed);
    onTestFinished(() => clock.mockRestore());
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'behind']);
  });

  it('without a cache reads the primary alone', async () => {
    const here = await world();
    const { token } = await here.known();
    const replica = here.aReplica();
    const { postern, answers } = here.aProcess(replica, { cache: false });
    for (let read = 0; read < 3; read++) {
      expect(await here.ask(token, write, postern)).toBe('allowed');
      await pass(SETTLED);
    }
    expect([answers, replica.reads]).toEqual([[], 0]);
  });

  it('ends with the store', async () => {
    const here = await world();
    await here.known();
    await here.near.postern.close();
    await expect(here.near.store.mirror?.findToken('x')).rejects.toMatchObject({ code: 'closed' });
    await here.far.postern.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a reader', () => {
  const { driver, aReplica } = primaryWithReplicas();
  it.each([
    [{ pollInterval: false, reader: { driver: aReplica() } }, 'reader'],
    [{ reader: { driver: { ...driver, dialect: 'mysql' } } }, 'reader.driver'],
    [{ reader: {} }, 'reader.driver'],
    [{ reader: { driver: aReplica(), maxLag: '10ms' } }, 'reader.maxLag'],
  ])('is refused if it could not keep the rule, or is none: %j', (options, path) => {
    const make = () => sqlStore({ driver, ...options } as never);
    expect(make).toThrow(expect.objectContaining({ code: 'option_invalid', path }));
  });

  it('is refused over a database that has no feed here', () => {
    const postgres = { ...driver, dialect: 'postgres' } as const;
    const make = () => sqlStore({ driver: postgres, reader: { driver: postgres } });
    expect(make).toThrow(expect.objectContaining({ code: 'option_invalid', path: 'reader' }));
  });

  it('makes a confirmation wait for maxLag, too: the replica may have been so old when it was read', async () => {
    const confirm = vi.fn(async (_: number) => ({ acknowledged: 1, missing: 0 }));
    const { store } = primaryWithReplicas().aProcess(aReplica(), {}, { maxLag: '1m' });
    const postern = createPostern({ store: { ...store, confirm }, cache: { ttl: '30s' } });
    const { record } = await postern.tokens.create({ name: 'x', types });
    await postern.tokens.revoke(record.id, { wait: true });
    expect(confirm.mock.calls).toEqual([[90_000]]);
  });
});

describe('the lag', () => {
  it('beyond maxLag ends the use of the replica, with an event and a fault, until it has caught up', async () => {
    const here = await world({ maxLag: '1s' });
    const { token } = await here.known();
    const told = () => here.near.events.splice(0).filter(({ type }) => type === 'reader' || type === 'fault');
    expect(told()).toMatchObject([{ type: 'reader', used: true }]);
    here.replica.hold();
    await pass(1_500);
    expect(told()).toMatchObject([
      { type: 'reader', used: false },
      { type: 'fault', during: 'reader', error: { message: 'the replica does not have the state of 1000 ms ago' } },
    ]);
    expect(await here.askAnew(token)).toEqual(['allowed', 'unused']);
    here.replica.release();
    await pass(SETTLED);
    expect(told()).toMatchObject([{ type: 'reader', used: true }]);
    expect(await here.askAnew(token)).toEqual(['allowed', 'replica']);
  });

  it('is noticed by a read, too', async () => {
    const here = await world({ maxLag: '1s' });
    const { token } = await here.known();
    here.replica.hold();
    vi.setSystemTime(0);
    vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 1_500);
    expect(await here.askAnew(token)).toEqual(['allowed', 'behind']);
  });

  it('is told as the age of the latest state that the replica surely has', async () => {
    const here = await world();
    const mirror = here.near.store.mirror as Mirror;
    expect(mirror.lag).toBeNull();
    await here.known();
    expect(mirror.lag).toBeLessThanOrEqual(1_500);
    here.replica.hold();
    await pass(10_000);
    expect(mirror.lag).toBeGreaterThanOrEqual(10_000);
    expect(mirror.lag).toBeLessThanOrEqual(11_500);
    here.replica.release();
    await pass(SETTLED);
    expect(mirror.lag).toBeLessThanOrEqual(1_500);
  });
});

describe('a replica that fails', () => {
  it('is no outage: the primary is asked, an event says so, and later it is used again', async () => {
    const here = await world();
    const { token } = await here.known();
    here.near.events.length = 0;
    here.replica.failure = new Error('connection refused');
    expect(await here.askAnew(token)).toEqual(['allowed', 'failed']);
    expect(here.near.events.filter(({ type }) => type !== 'decision')).toMatchObject([
      { type: 'reader', used: false },
      { type: 'fault', during: 'reader', error: here.replica.failure },
    ]);
    expect(await here.askAnew(token)).toEqual(['allowed', 'unused']);
    here.replica.failure = null;
    await pass(SETTLED);
    expect(await here.askAnew(token)).toEqual(['allowed', 'replica']);
  });

  it('in one read is not given up if it still answers', async () => {
    const here = await world();
    const { token } = await here.known();
    here.near.events.length = 0;
    const { query } = here.replica;
    here.replica.query = () => {
      here.replica.query = query;
      return Promise.reject(new Error('canceling statement due to conflict with recovery'));
    };
    expect(await here.askAnew(token)).toEqual(['allowed', 'failed']);
    await pass(SETTLED);
    expect(await here.askAnew(token)).toEqual(['allowed', 'replica']);
    expect(here.near.events.filter(({ type }) => type !== 'decision')).toEqual([]);
  });
});

describe('a primary that fails', () => {
  it('leaves unavailable what only it may answer, and everything once the replica is older than maxLag', async () => {
    const here = await world({ maxLag: '1s' });
    const [token, changed] = [await here.known(), await here.known()];
    await here.near.postern.tokens.revoke(changed.id);
    here.failures.push(() => true);
    expect((await here.askAnew(changed.token))[0]).toBe('unavailable');
    await pass(1_500);
    expect(await here.askAnew(token.token)).toEqual(['unavailable', 'unused']);
    here.failures.length = 0;
    await pass(SETTLED);
    expect(await here.askAnew(token.token)).toEqual(['allowed', 'replica']);
    expect((await here.askAnew(changed.token))[0]).toBe('token_revoked');
  });
});
