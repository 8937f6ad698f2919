import { memoryRateLimiter, memoryStore } from 'postern';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { all, principalOf, shortLived, turn } from '../support/lives.js';
import { refusal, START, verdict } from '../support/outcomes.js';

const HOUR = 3_600_000;

describe('a short-lived token', () => {
  test('has a principal with its end, and tokens made with it end then or earlier', async () => {
    const world = createTestPostern();
    const { principal, hers } = await shortLived(world);
    expect(principal.endsAt).toEqual(new Date(START + HOUR));
    expect((await hers.tokens.create({ name: 'x', types: all })).record.expiresAt).toEqual(principal.endsAt);
    const early = await hers.tokens.create({ name: 'x', types: all, expiresIn: '1m' });
    expect(early.record.expiresAt).toEqual(new Date(START + 60_000));
  });

  test.each([
    ['later', { expiresIn: '2h' }],
    ['never', { expiresAt: null }],
  ] as const)('can not make or change a token to end %s, and the error names the latest end', async (_, life) => {
    const world = createTestPostern();
    const { record, hers } = await shortLived(world);
    const made = await refusal(hers.tokens.create({ name: 'x', types: all, ...life }));
    expect([made.code, made.message.includes('2026-01-01T01:00:00.000Z')]).toEqual(['expiry_beyond', true]);
    expect((await refusal(hers.tokens.update(record.id, life))).code).toBe('expiry_beyond');
  });

  test('can rename a longer-lived token, but not rotate it, nor change its grants and limits', async () => {
    const world = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const { hers } = await shortLived(world);
    const types = { developer: { scopes: ['models:read'] } } as const;
    const { record } = await world.postern.tokens.create({ name: 'endless', types, owner: 'ann' });
    for (const work of [
      hers.tokens.rotate(record.id),
      hers.tokens.update(record.id, { types: all }),
      hers.tokens.update(record.id, { rateLimit: { points: 1e6, duration: '1s' } }),
      hers.tokens.resetLimits(record.id),
    ]) {
      expect((await refusal(work)).code).toBe('expiry_beyond');
    }
    expect((await hers.tokens.update(record.id, { name: 'seen' })).name).toBe('seen');
  });

  test('in its grace still calls, but can not change anything', async () => {
    const { postern } = createTestPostern();
    const made = await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    await postern.tokens.rotate(made.record.id, { grace: '1h' });
    const old = postern.as(await principalOf(postern, made.token));
    expect(verdict(await postern.authorize({ token: made.token, requirement: { scope: 'iam:write' } }))).toBe(
      'allowed',
    );
    for (const work of [
      () => old.tokens.rotate(made.record.id),
      () => old.tokens.create({ name: 'y', types: all }),
      () => old.tokens.update(made.record.id, { name: 'y' }),
      () => old.tokens.revoke(made.record.id),
      () => old.tokens.delete(made.record.id),
      () => old.tokens.revokeSecret(made.token),
      () => old.tokens.revokeOwned({ owner: 'ann' }),
      () => old.tokens.resetLimits(made.record.id),
      () => old.endpoints.create({ id: 'b', access: 'public' }),
      () => old.endpoints.update('a', { access: 'public' }),
      () => old.endpoints.delete('a'),
    ]) {
      expect((await refusal(work())).code).toBe('issuance_forbidden');
    }
    expect((await postern.endpoints.get('a'))?.access).toBe('protected');
  });

  test('with mayIssue false makes and changes no tokens, and does what it was granted', async () => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types: all, mayIssue: false });
    expect(record.mayIssue).toBe(false);
    expect(verdict(await postern.authorize({ token, requirement: { scope: 'iam:write' } }))).toBe('allowed');
    const hands = postern.as(await principalOf(postern, token));
    expect((await refusal(hands.tokens.create({ name: 'y', types: all }))).code).toBe('issuance_forbidden');
    expect((await refusal(hands.tokens.update(record.id, { name: 'y' }))).code).toBe('issuance_forbidden');
  });
});

describe('a revocation', () => {
  test('is not delayed by a holder who keeps renaming the token', async () => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types: all, owner: 'ann' });
    const hers = postern.as(await principalOf(postern, token));
    let over = false;
    const renaming = Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        for (let n = 0; !over; n++) {
          await hers.tokens.update(record.id, { name: `${i}-${n}` }).catch(() => {});
          await turn();
        }
      }),
    );
    for (let i = 0; i < 20; i++) await turn();
    await postern.tokens.revoke(record.id);
    for (let i = 0; i < 20; i++) await turn();
    over = true;
    await renaming;
    expect((await postern.tokens.get(record.id))?.revokedAt).toEqual(new Date(START));
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  test('that only takes grants away wins against renames and rotations that always come first', async () => {
    const inner = memoryStore();
    const here = createTestPostern({ store: controlledStore(inner) });
    const there = createTestPostern({ store: inner });
    const { record } = await here.issue({ scopes: ['*'] });
    const gate = here.store.hold('replaceToken', 'before');
    const types = { developer: { scopes: ['models:read'] } } as const;
    const edit = here.postern.tokens.update(record.id, { types });
    const over = edit.then(
      () => null,
      () => null,
    );
    const others: string[] = [];
    for (let n = 0; ; n++) {
      const held = await Promise.race([gate.next(), over]);
      if (held === null) break;
      const other =
        n % 2 === 0 ? there.postern.tokens.update(record.id, { name: `${n}` }) : there.postern.tokens.rotate(record.id);
      await other.then(
        () => others.push('came first'),
        ({ code }) => others.push(code),
      );
      held.release();
    }
    expect((await edit).types).toEqual(types);
    expect(others).toEqual(['came first', 'came first', 'conflict']);
    gate.end();
    expect((await there.postern.tokens.update(record.id, { name: 'after' })).name).toBe('after');
  });

  test('by secret needs revokeSecret: other calls refuse a secret and name that call', async () => {
    const { postern } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types: all });
    for (const work of [postern.tokens.revoke(token), postern.tokens.delete(token), postern.tokens.get(token)]) {
      const { code, message } = await refusal(work);
      expect(code).toBe('input_invalid');
      expect(message).not.toContain(token);
    }
    expect((await refusal(postern.tokens.revoke(token))).message).toContain('revokeSecret');
    expect((await postern.tokens.revokeSecret(token))?.id).toBe(record.id);
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
    const { postern: other } = createTestPostern();
    expect(await other.tokens.revokeSecret(token)).toBeNull();
    expect((await refusal(postern.tokens.revokeSecret('hello'))).code).toBe('input_invalid');
  });

  test('of 100,001 unknown ids leaves other tokens cached', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: all });
    await postern.authenticate(token);
    for (let i = 0; i < 100_001; i++) await postern.tokens.revoke(`x${i}`);
    expect(postern.tryAuthorize({ token, requirement: { authenticated: true } })).not.toBeNull();
  });
});

describe('a store without a feed', () => {
  test('a token that revokeSecret finds, and another process then deletes, is refused here at once', async () => {
    const inner = memoryStore();
    const far = createTestPostern({ store: controlledStore(inner, { feed: false }) });
    const store = controlledStore(inner, { feed: false });
    const near = createTestPostern({ store });
    const { token, record } = await far.postern.tokens.create({ name: 'x', types: all });
    expect(await near.postern.authenticate(token)).toMatchObject({ ok: true });
    const gate = store.hold('findTokenByDigest', 'after');
    const revoked = near.postern.tokens.revokeSecret(token);
    const read = await gate.next();
    gate.end();
    await far.postern.tokens.delete(record.id);
    read.release();
    expect(await revoked).toBeNull();
    expect(await near.postern.authenticate(token)).toEqual({ ok: false, reason: 'token_unknown' });
  });

  test.each([10_001, 250_001])('a token that was seen deleted stays so, whatever %i others are', async (others) => {
    const inner = memoryStore();
    const here = createTestPostern({ store: controlledStore(inner, { feed: false }), cache: { ttl: '10m' } });
    const there = createTestPostern({ store: inner });
    const { token, record } = await here.issue({ scopes: ['models:read'] });
    const ask = async () => verdict(await here.postern.authorize({ token, requirement: { scope: 'models:read' } }));
    expect(await ask()).toBe('allowed');
    await there.postern.tokens.delete(record.id);
    await here.postern.tokens.delete(record.id);
    for (let i = 0; i < others; i++) await here.postern.tokens.revoke(`nobody${i}`);
    expect(await ask()).toBe('token_unknown');
  });
});

describe('an update of a token', () => {
  test('merges metadata atomically, so concurrent updates are all kept', async () => {
    const { postern } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types: all, metadata: { n: 0 } });
    await Promise.all(
      ['a', 'b', 'c', 'd'].map((key) =>
        postern.tokens.update(record.id, { metadata: (current) => ({ ...current, [key]: true }) }),
      ),
    );
    expect((await postern.tokens.get(record.id))?.metadata).toEqual({ n: 0, a: true, b: true, c: true, d: true });
  });

  test.each([
    ['a text', 'metadata', () => 'text'],
    ['a promise', 'metadata', async () => ({ n: 1 })],
    [
      'a promise that fails',
      'metadata',
      async () => {
        throw new Error('boom');
      },
    ],
    ['a Map', 'metadata', () => new Map([['n', 1]])],
    ['a Date within', 'metadata.at.0', () => ({ at: [new Date(START)] })],
  ])('whose function returns %s is refused, and the metadata stays', async (_, path, make) => {
    const { postern } = createTestPostern();
    const { record } = await postern.tokens.create({ name: 'x', types: all, metadata: { plan: 'suspended' } });
    const refused = await refusal(postern.tokens.update(record.id, { metadata: make as never }));
    expect([refused.code, refused.path]).toEqual(['input_invalid', path]);
    expect((await postern.tokens.get(record.id))?.metadata).toEqual({ plan: 'suspended' });
  });

  test('of a quota begins a new window, and so does resetLimits', async () => {
    const { postern } = createTestPostern({ rateLimiter: memoryRateLimiter() });
    const quota = { points: 1, refill: '30d' } as const;
    const { token, record } = await postern.tokens.create({ name: 'x', types: all, quota });
    const ask = async () => verdict(await postern.authorize({ token, requirement: { authenticated: true } }));
    expect([await ask(), await ask()]).toEqual(['allowed', 'rate_limited']);
    await postern.tokens.update(record.id, { quota: { points: 1, refill: '1s' } });
    expect([await ask(), await ask()]).toEqual(['allowed', 'rate_limited']);
    await postern.tokens.update(record.id, { quota });
    expect([await ask(), await ask()]).toEqual(['allowed', 'rate_limited']);
    await postern.tokens.resetLimits(record.id);
    expect([await ask(), await ask()]).toEqual(['allowed', 'rate_limited']);
    await postern.tokens.update(record.id, { name: 'y', quota });
    expect(await ask()).toBe('rate_limited');
  });
});

describe('a principal that may not see endpoints', () => {
  test('gets the same answer for a private endpoint and a missing one', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'hidden', access: 'private' });
    await postern.endpoints.create({ id: 'open', access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    const principal = await principalOf(postern, token);
    const told = async (id: string, options = {}) =>
      postern
        .as(principal, options)
        .tokens.create({ name: 'y', types: { user: { endpoints: [id] } } })
        .then(
          () => 'made',
          ({ code, message }) => `${code} ${message.replace(id, '…')}`,
        );
    expect(await told('hidden')).toBe(await told('absent'));
    expect(await told('open')).toBe('made');
    expect(await told('absent', { endpoints: 'seen' })).toContain('endpoint_unknown');
  });
});
