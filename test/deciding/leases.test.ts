import { type Denied, memoryStore, type PosternOptions } from 'postern';
import { derive } from 'postern/jwt';
import { controlledStore, createTestPostern } from 'postern/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { internalsOf } from '../../src/instance/internals.js';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import { leasesOf } from '../support/leases.js';

interface Options extends Partial<Pick<PosternOptions, 'authenticators' | 'cache' | 'store'>> {
  readonly now?: Date;
  readonly feed?: boolean | undefined;
}

type World = ReturnType<typeof createWorld>;
type Attempt = Parameters<ReturnType<typeof internalsOf>['gate']['authorize']>[0];

/** The trimming's timer, which goes on until the instance is closed. */
const TRIMMING = 1;
const READS = ['findTokenByDigest', 'findTokenByKeyId', 'findToken', 'listEndpoints', 'findEndpoint'] as const;

/** An instance on a store that counts. Timers stand still, as its clock does. */
function createWorld(options: Options = {}) {
  const { feed, store: inner = memoryStore(), ...rest } = options;
  const store = controlledStore(inner, feed === undefined ? {} : { feed });
  const test = createTestPostern({ ...rest, store });
  const { gate } = internalsOf(test.postern);
  const leases = leasesOf(test.postern);
  return {
    ...test,
    store,
    gate,
    leases,
    reads: () => store.count(...READS),
    /** Opens a lease, and notes each denial that ends it. */
    hold(attempt: Attempt) {
      const ended: Denied[] = [];
      const lease = leases.open(attempt, (denial) => ended.push(denial));
      return { ended, reasons: () => ended.map(({ reason }) => reason), close: () => lease.close() };
    },
    /** Lets time pass for the clock and the timers. */
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        test.clock.advance('1s');
        await vi.advanceTimersByTimeAsync(1_000);
        await settled();
      }
    },
  };
}

/** Resolves once everything that waits for no timer is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const models = { scope: 'models:read' } as const;
const summarizer = { endpoint: 'summarizer' } as const;

/** A token that has everything. */
const issue = (world: World, more = {}) =>
  world.issue({ scopes: ['models:read'], endpoints: ['summarizer'], expiresIn: '1h', ...more });

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe('a lease ends at once when', () => {
  it.each<[string, object, string, (world: World, id: string) => Promise<unknown>]>([
    ['its token is revoked', models, 'token_revoked', ({ postern }, id) => postern.tokens.revoke(id)],
    ['its token is deleted', models, 'token_unknown', ({ postern }, id) => postern.tokens.delete(id)],
    [
      'its scope is taken away',
      models,
      'scope_missing',
      ({ postern }, id) => postern.tokens.update(id, { types: { user: { endpoints: '*' } } }),
    ],
    [
      'its endpoint is taken away',
      summarizer,
      'endpoint_not_granted',
      ({ postern }, id) => postern.tokens.update(id, { types: { developer: { scopes: ['models:read'] } } }),
    ],
    [
      'the endpoint is deleted',
      summarizer,
      'endpoint_unknown',
      ({ postern }) => postern.endpoints.delete('summarizer'),
    ],
    [
      'the endpoint becomes private',
      summarizer,
      'endpoint_private',
      ({ postern }) => postern.endpoints.update('summarizer', { access: 'private' }),
    ],
    ['its secret is replaced without grace', models, 'token_revoked', ({ postern }, id) => postern.tokens.rotate(id)],
  ])('%s', async (_name, requirement, reason, change) => {
    const world = createWorld();
    const { token, record } = await issue(world);
    const lease = world.hold({ token, requirement: requirement as never });
    await change(world, record.id);
    await settled();
    expect(lease.reasons()).toEqual([reason]);
    expect(world.leases.count()).toEqual({ leases: 0, groups: 0 });
  });

  it('a public endpoint that it needed no token for becomes protected', async () => {
    const world = createWorld();
    await world.postern.endpoints.create({ id: 'status', access: 'public' });
    const lease = world.hold({ token: null, requirement: { endpoint: 'status' } });
    await world.postern.endpoints.update('status', { access: 'protected' });
    await settled();
    expect(lease.reasons()).toEqual(['token_missing']);
  });

  it('an endpoint that needed no token is protected now, and then its token is revoked', async () => {
    const world = createWorld();
    await world.postern.endpoints.create({ id: 'status', access: 'public' });
    const { token, record } = await world.issue({ endpoints: '*' });
    const lease = world.hold({ token, requirement: { endpoint: 'status' } });
    await world.postern.endpoints.update('status', { access: 'protected' });
    await settled();
    expect(lease.reasons()).toEqual([]);
    await world.postern.tokens.revoke(record.id);
    await settled();
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('the API token behind its derived token is revoked', async () => {
    // Who derives one has the machine's clock, which a slow machine may move on between two lines.
    const world = createWorld({ now: new Date(Date.now() + 60_000) });
    const { token, record } = await issue(world);
    const derived = await derive(token, { scopes: ['models:read'], expiresIn: '10m' });
    const attempt = { token: derived, requirement: models };
    expect((await world.gate.authorize(attempt)).allowed).toBe(true);
    const lease = world.hold(attempt);
    // Long open: it is known whose it is.
    await world.pass(2);
    await world.postern.tokens.revoke(record.id);
    await settled();
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('the API token that a session was exchanged from is revoked', async () => {
    let parent = '';
    const { authenticator } = scripted(() => vouch({ parent: { tokenId: parent, required: true } }));
    const world = createWorld({ authenticators: [authenticator] });
    const { record } = await issue(world);
    parent = record.id;
    const lease = world.hold({ token: jwt('a'), requirement: models });
    await world.pass(2);
    expect(lease.reasons()).toEqual([]);
    await world.postern.tokens.revoke(record.id);
    await settled();
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('another process makes the change, and the store has a feed', async () => {
    const store = memoryStore();
    const world = createWorld({ store });
    const other = createTestPostern({ store });
    const { token, record } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    await other.postern.tokens.revoke(record.id);
    await settled();
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('it is closed with the instance, which nobody asks any more', async () => {
    const world = createWorld();
    const { token } = await issue(world);
    const early = world.hold({ token, requirement: models });
    await world.pass(2);
    const late = world.hold({ token, requirement: models });
    await world.postern.close();
    expect([early.reasons(), late.reasons()]).toEqual([['unavailable'], ['unavailable']]);
    const after = world.hold({ token, requirement: models });
    expect(after.reasons()).toEqual([]);
    await settled();
    expect(after.reasons()).toEqual(['unavailable']);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a lease ends in time when', () => {
  it.each([true, false])('its token expires (feed: %s)', async (feed) => {
    const world = createWorld({ feed });
    const { token } = await issue(world, { expiresIn: '10s' });
    const lease = world.hold({ token, requirement: models });
    await world.pass(9);
    expect(lease.reasons()).toEqual([]);
    await world.pass(1);
    expect(lease.reasons()).toEqual(['token_expired']);
  });

  it('the grace of its secret is over, while a lease of the new secret goes on', async () => {
    const world = createWorld();
    const { token, record } = await issue(world);
    const old = world.hold({ token, requirement: models });
    const { token: next } = await world.postern.tokens.rotate(record.id, { grace: '10s' });
    const fresh = world.hold({ token: next, requirement: models });
    await world.pass(9);
    expect([old.reasons(), fresh.reasons()]).toEqual([[], []]);
    await world.pass(1);
    expect([old.reasons(), fresh.reasons()]).toEqual([['token_revoked'], []]);
  });

  it.each(['token', 'endpoint'] as const)(
    'a %s was changed elsewhere, and the store has no feed: within the ttl',
    async (what) => {
      const inner = memoryStore();
      const world = createWorld({ store: inner, feed: false });
      const elsewhere = createTestPostern({ store: inner, clock: world.clock });
      const { token, record } = await issue(world);
      const attempt = { token, requirement: summarizer };
      await world.pass(7);
      // Read here, right before the change.
      expect((await world.gate.authorize(attempt)).allowed).toBe(true);
      const lease = world.hold(attempt);
      if (what === 'token') await elsewhere.postern.tokens.revoke(record.id);
      else await elsewhere.postern.endpoints.delete('summarizer');
      await world.pass(29);
      expect(lease.reasons()).toEqual([]);
      await world.pass(1);
      expect(lease.reasons()).toEqual([what === 'token' ? 'token_revoked' : 'endpoint_unknown']);
    },
  );

  it('a token was revoked elsewhere, and there is neither a feed nor a cache: within 5 seconds', async () => {
    const inner = memoryStore();
    const world = createWorld({ store: inner, feed: false, cache: false });
    const elsewhere = createTestPostern({ store: inner });
    const { token, record } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    await world.pass(3);
    await elsewhere.postern.tokens.revoke(record.id);
    await world.pass(5);
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('its token is revoked while its first look is under way', async () => {
    const world = createWorld({ cache: false });
    const { token, record } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    const gate = world.store.hold('findTokenByDigest', 'after');
    await vi.advanceTimersByTimeAsync(1_000);
    const held = await gate.next();
    gate.end();
    await world.postern.tokens.revoke(record.id);
    await settled();
    expect(lease.reasons()).toEqual([]);
    held.release();
    await settled();
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('its authenticator no longer vouches for it: when it may be asked again', async () => {
    let answer: ReturnType<typeof vouch> | 'token_revoked' = vouch({ trustedFor: '20s' });
    const { authenticator } = scripted(() => answer);
    const world = createWorld({ authenticators: [authenticator] });
    const attempt = { token: jwt('a'), requirement: models };
    expect((await world.gate.authorize(attempt)).allowed).toBe(true);
    await world.pass(10);
    const lease = world.hold(attempt);
    answer = 'token_revoked';
    await world.pass(9);
    expect(lease.reasons()).toEqual([]);
    await world.pass(1);
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('its token was revoked between the decision and the lease', async () => {
    const world = createWorld();
    const { token, record } = await issue(world);
    await world.postern.tokens.revoke(record.id);
    const lease = world.hold({ token, requirement: models });
    await world.pass(1);
    expect(lease.reasons()).toEqual(['token_revoked']);
  });

  it('the clock was set ahead, beyond the end of its token', async () => {
    const world = createWorld();
    const { token } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    await world.pass(2);
    world.clock.set(new Date(world.clock.now() + 7_200_000));
    await world.pass(30);
    expect(lease.reasons()).toEqual(['token_expired']);
  });
});

describe('a lease goes on', () => {
  it('when another token is revoked, or another endpoint changes', async () => {
    const world = createWorld();
    const { token } = await issue(world);
    const other = await world.issue({ scopes: ['models:read'], endpoints: ['translator'] });
    const lease = world.hold({ token, requirement: summarizer });
    await world.pass(2);
    await world.postern.tokens.revoke(other.record.id);
    await world.postern.endpoints.delete('translator');
    await world.pass(120);
    expect(lease.reasons()).toEqual([]);
  });

  it('when its limit is used up: it was counted when it began', async () => {
    const world = createWorld();
    const { token } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    await world.pass(60);
    expect([lease.reasons(), world.store.count('recordUsage')]).toEqual([[], 0]);
  });

  it('when the clock is set back', async () => {
    const world = createWorld();
    const { token } = await issue(world);
    const lease = world.hold({ token, requirement: models });
    await world.pass(2);
    world.clock.set(new Date(world.clock.now() - 600_000));
    await world.pass(90);
    expect(lease.reasons()).toEqual([]);
  });
});

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
    const { createPostern } = await import('postern');
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
