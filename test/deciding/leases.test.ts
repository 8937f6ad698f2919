import { memoryStore } from 'postern';
import { derive } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, vi } from 'vitest';
import { jwt, scripted, vouch } from '../support/authenticator.js';
import { createWorld, issue, models, settled, summarizer, useFakeTimers, type World } from './lease-world.js';

useFakeTimers();

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
