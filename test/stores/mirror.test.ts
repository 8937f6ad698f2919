import { createPostern, type Duration, type Postern } from 'postern';
import type { Mirror } from 'postern/store';
import { sqlStore } from 'postern/stores/sql';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Heard } from '../../src/stores/sql/mirror/heard.js';
import { verdict } from '../support/outcomes.js';
import { primaryWithReplicas } from './lagging-replica.js';
import { listen } from './listening.js';

const types = { developer: { scopes: ['models:read', 'models:write'] }, user: { endpoints: '*' } } as const;
const write = { scope: 'models:write' } as const;
const use = { endpoint: 'a' } as const;
const TTL = '30s';

/** Marks, looks for them and looks for changes come with the timers of the test alone. */
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
/** After this time the replica has a new mark, and changes of others have been heard of. */
const SETTLED = 2_000;

/** A process at the primary, and one that reads from a replica. */
async function world({ pollInterval = '50ms', maxLag = '1m' }: { pollInterval?: Duration; maxLag?: Duration } = {}) {
  const made = primaryWithReplicas();
  const far = made.aProcess(null);
  await far.postern.endpoints.create({ id: 'a', access: 'protected' });
  const replica = made.aReplica();
  const near = made.aProcess(replica, { cache: { ttl: TTL } }, { pollInterval, maxLag });
  const feed = listen(near.store);
  const create = () => far.postern.tokens.create({ name: 'x', types });
  const ask = async (token: string, requirement: typeof write | typeof use = write, postern = near.postern) =>
    verdict(await postern.authorize({ token, requirement }));
  /** Empties the caches of the process by the clock. */
  const forget = () => made.clock.advance(TTL);
  /** The answer after the caches are empty, and where it came from. */
  const askAnew = async (token: string, requirement: typeof write | typeof use = write) => {
    forget();
    near.answers.length = 0;
    return [await ask(token, requirement), ...new Set(near.answers)];
  };
  /** A token that the replica has, too. */
  const known = async () => {
    const { token, record } = await create();
    await ask(token, use);
    await pass(SETTLED);
    expect(await askAnew(token, use)).toEqual(['allowed', 'replica']);
    return { token, id: record.id };
  };
  return { ...made, far, near, replica, feed, create, ask, forget, askAnew, known };
}

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

type Change = (by: Postern, id: string) => Promise<unknown>;

const changes: readonly (readonly [name: string, change: Change, after: string])[] = [
  ['revoked', (by, id) => by.tokens.revoke(id), 'token_revoked'],
  ['deleted', (by, id) => by.tokens.delete(id), 'token_unknown'],
  [
    'narrowed',
    (by, id) => by.tokens.update(id, { types: { developer: { scopes: ['models:read'] } } }),
    'scope_missing',
  ],
  ['rotated without a grace', (by, id) => by.tokens.rotate(id), 'token_revoked'],
];

describe('of a replica that is behind, nothing comes back', () => {
  describe.each(changes)('of a token that was %s', (_, change, after) => {
    it.each(['here', 'by another process, once this one has heard of it'])('%s', async (where) => {
      const here = await world();
      const { token, id } = await here.known();
      here.replica.hold();
      await change(where === 'here' ? here.near.postern : here.far.postern, id);
      await pass(50);
      expect(here.feed.told).toContainEqual({ kind: 'token', id });
      for (let read = 0; read < 5; read++) {
        expect(await here.askAnew(token)).toEqual([after, 'changed']);
        await pass(SETTLED);
      }
      here.replica.release();
      expect(await here.askAnew(token)).not.toContain('allowed');
      await pass(SETTLED);
      expect(await here.askAnew(token)).toEqual([after, after === 'token_unknown' ? 'absent' : 'replica']);
    });
  });

  it('of an endpoint whose access was changed', async () => {
    const here = await world();
    const { token } = await here.known();
    here.replica.hold();
    await here.far.postern.endpoints.update('a', { access: 'private' });
    await pass(50);
    for (let read = 0; read < 5; read++) {
      expect(await here.askAnew(token, use)).toEqual(['endpoint_private', 'changed']);
      await pass(SETTLED);
    }
  });

  it('of an endpoint that was deleted and made anew', async () => {
    const here = await world();
    const { token } = await here.far.postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    await here.known();
    here.replica.hold();
    await here.far.postern.endpoints.delete('a');
    await here.far.postern.endpoints.create({ id: 'a', access: 'protected' });
    await pass(50);
    expect((await here.askAnew(token, use))[0]).toBe('endpoint_not_granted');
  });

  it('of a read that began before the change was heard of, and ended after it', async () => {
    const here = await world();
    const { token, id } = await here.known();
    here.replica.hold();
    here.forget();
    const { reached, open } = here.replica.stopNext();
    const asked = here.ask(token);
    await reached;
    await here.far.postern.tokens.revoke(id);
    await pass(50);
    open();
    expect(await asked).toBe('token_revoked');
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
  });

  it('of a change that was seen at the primary, before it is heard of', async () => {
    const here = await world({ pollInterval: '30s' });
    const [deleted, revoked] = [await here.known(), await here.known()];
    here.replica.hold();
    // Its own changes bring this process to the primary, where it sees those of the other one.
    await here.near.postern.tokens.update(deleted.id, { name: 'own change' });
    await here.near.postern.tokens.update(revoked.id, { name: 'own change' });
    await pass(SETTLED);
    const before = here.commits();
    await here.far.postern.tokens.delete(deleted.id);
    await here.far.postern.tokens.revoke(revoked.id);
    expect(await here.askAnew(deleted.token)).toEqual(['token_unknown', 'changed']);
    expect(await here.ask(revoked.token)).toBe('token_revoked');
    // Now the replica has the own changes, with marks after them, and not those of the other one.
    here.replica.followTo(before);
    for (let read = 0; read < 5; read++) {
      await pass(SETTLED);
      expect(await here.askAnew(deleted.token)).toEqual(['token_unknown', 'changed']);
      expect(await here.askAnew(revoked.token)).toEqual(['token_revoked', 'changed']);
    }
  });

  it('of a change from before this process began', async () => {
    const here = await world();
    const { token, id } = await here.known();
    here.replica.hold();
    await here.far.postern.tokens.revoke(id);
    const { postern, answers } = here.aProcess(here.replica, {}, { maxLag: '1m' });
    for (let read = 0; read < 5; read++) {
      expect(await here.ask(token, write, postern)).toBe('token_revoked');
      here.forget();
      await pass(SETTLED);
    }
    expect(new Set(answers)).toEqual(new Set(['unused']));
  });

  it('when another replica answers, which is further behind', async () => {
    const here = await world();
    const { token, id } = await here.known();
    const late = here.aReplica();
    late.hold();
    await here.far.postern.tokens.revoke(id);
    await pass(SETTLED);
    // The change has long arrived at the first one.
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'replica']);
    here.replica.query = (statement) => late.query(statement);
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
  });

  it('from a database that is no replica of this one', async () => {
    const here = await world();
    const { token, id } = await here.known();
    // A copy from before, which nobody continues: a backup, say.
    const copy = here.aReplica();
    copy.hold();
    await here.far.postern.tokens.revoke(id);
    const { postern, answers, events } = here.aProcess(copy, {}, { maxLag: '1s' });
    for (let read = 0; read < 5; read++) {
      expect(await here.ask(token, write, postern)).toBe('token_revoked');
      here.forget();
      await pass(SETTLED);
    }
    expect(new Set(answers)).toEqual(new Set(['unused']));
    expect(events).toContainEqual(expect.objectContaining({ type: 'reader', used: false }));
  });

  it('while the feed is lost, and after it is back', async () => {
    const here = await world();
    const [{ token, id }, other] = [await here.known(), await here.known()];
    here.replica.hold();
    here.failures.push((sql) => sql.includes('LEFT JOIN'));
    await pass(200);
    expect(here.feed.told).toContainEqual(expect.objectContaining({ kind: 'lost' }));
    await here.far.postern.tokens.revoke(id);
    await here.far.postern.tokens.revoke(other.id);
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'unused']);
    here.failures.length = 0;
    await pass(200);
    expect(here.feed.told).toContainEqual({ kind: 'restored' });
    for (let read = 0; read < 5; read++) {
      expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
      expect(await here.askAnew(other.token)).toEqual(['token_revoked', 'changed']);
      await pass(SETTLED);
    }
  });

  it('if more has changed than is told one by one', async () => {
    const here = await world({ pollInterval: '30s' });
    const { token, id } = await here.known();
    here.replica.hold();
    await here.far.postern.tokens.revoke(id);
    for (let change = 0; change < 501; change++) {
      await here.far.postern.endpoints.update('a', { access: change % 2 === 0 ? 'public' : 'protected' });
    }
    await pass(30_000);
    expect(here.feed.told).toContainEqual({ kind: 'everything' });
    expect(await here.askAnew(token)).toEqual(['token_revoked', 'changed']);
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

describe('what was heard of', () => {
  it('is remembered for as long as an older state could be accepted, and no longer', () => {
    const heard = new Heard(100);
    heard.note('a', 0);
    for (let now = 10; now <= 100; now += 10) heard.note('b', now);
    expect([heard.last(['a']), heard.last(['b']), heard.last(['a', 'b'])]).toEqual([0, 100, 100]);
    heard.note('c', 201);
    expect(heard.last(['b'])).toBe(100);
    heard.note('d', 302);
    expect(heard.last(['b'])).toBe(Number.NEGATIVE_INFINITY);
    heard.everything(303);
    expect([heard.last(['b']), heard.last([])]).toEqual([303, 303]);
  });

  it('is everything, once it would be too much', () => {
    const heard = new Heard(1e9);
    for (let key = 0; key <= 250_000; key++) heard.note(`${key}`, key);
    expect(heard.last(['never named'])).toBe(250_000);
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
