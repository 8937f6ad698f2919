import type { StoredEndpoint, StoredToken } from 'postern/store';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

/** An instance with a token whose row is spoilt as told wherever the store gives it out, and a sound one. */
async function spoilt(damage: object, of: 'token' | 'secret' = 'token') {
  const made = createTestPostern({ cache: false });
  const bad = await made.postern.tokens.create({ name: 'bad', types });
  const good = await made.postern.tokens.create({ name: 'good', types });
  const spoil = (token: StoredToken) =>
    of === 'token' && token.id === bad.record.id ? { ...token, ...damage } : token;
  made.store.answer('findTokenByDigest', (real) => {
    const found = real as { token: StoredToken; secret: object } | null;
    const mine = of === 'secret' && found?.token.id === bad.record.id;
    return found && { token: spoil(found.token), secret: mine ? { ...found.secret, ...damage } : found.secret };
  });
  made.store.answer('findToken', (real) => real && spoil(real as StoredToken));
  made.store.answer('listTokens', (real) => (real as StoredToken[]).map(spoil));
  return { ...made, bad, good };
}

const DAMAGE: readonly (readonly [string, object])[] = [
  ['types that are no JSON', { types: 'not json' }],
  ['types that are a list', { types: '[]' }],
  ['types that are null', { types: 'null' }],
  ['types that are empty', { types: '{}' }],
  ['types that are no text', { types: undefined }],
  ['types of another structure', { types: '{"developer":{"scopes":"*"}}' }],
  ['an expiry that is NaN', { expiresAt: Number.NaN }],
  ['an expiry that is lost', { expiresAt: undefined }],
  ['an expiry that is a text', { expiresAt: '2020' }],
  ['an expiry that is beyond all dates', { expiresAt: 9e15 }],
  ['an expiry that is infinite', { expiresAt: Number.POSITIVE_INFINITY }],
  ['a revocation that is lost', { revokedAt: undefined }],
  ['a revocation that is a text', { revokedAt: 'yes' }],
  ['another ownership', { ownership: 'shared' }],
  ['an owner that is a number', { owner: 7 }],
  ['an owner that is lost', { owner: undefined }],
  ['an organization that is lost', { organization: undefined }],
];

describe('a token whose record was damaged by hand', () => {
  test.each(DAMAGE)('%s: a fault for it, and nothing else', async (_, damage) => {
    const { postern, bad, good, events } = await spoilt(damage);
    expect(await postern.authorize({ token: bad.token, requirement })).toMatchObject({
      allowed: false,
      reason: 'internal_error',
      error: { code: 'record_unreadable' },
    });
    expect(await postern.authenticate(bad.token)).toEqual({ ok: false, reason: 'internal_error' });
    expect(verdict(await postern.authorize({ token: good.token, requirement }))).toBe('allowed');
    expect((await postern.tokens.list()).items.map(({ name }) => name)).toEqual(['good']);
    expect(events).toContainEqual(expect.objectContaining({ type: 'fault', during: 'record' }));
  });

  test.each([
    ['an end that is lost', { endsAt: undefined }],
    ['an end that is NaN', { endsAt: Number.NaN }],
    ['an end that is a text', { endsAt: 'never' }],
  ])('a secret with %s', async (_, damage) => {
    const { postern, bad, good } = await spoilt(damage, 'secret');
    expect(verdict(await postern.authorize({ token: bad.token, requirement }))).toBe('internal_error');
    expect(verdict(await postern.authorize({ token: good.token, requirement }))).toBe('allowed');
  });

  test('metadata is not needed to decide: it is a fault where the record is shown', async () => {
    const { postern, bad } = await spoilt({ metadata: '[]' });
    expect(verdict(await postern.authorize({ token: bad.token, requirement }))).toBe('allowed');
    expect(await refusal(postern.tokens.get(bad.record.id))).toMatchObject({
      code: 'record_unreadable',
      path: 'metadata',
    });
    expect((await postern.tokens.list()).items.map(({ name }) => name)).toEqual(['good']);
  });

  test('it can be revoked and deleted', async () => {
    const { postern, bad, store } = await spoilt({ types: 'not json' });
    await postern.tokens.revoke(bad.record.id);
    expect((await postern.authenticate(bad.token)).ok).toBe(false);
    await postern.tokens.update(bad.record.id, { types });
    store.mend();
    expect(await postern.authenticate(bad.token)).toEqual({ ok: false, reason: 'token_revoked' });
    await postern.tokens.delete(bad.record.id);
    expect(await postern.tokens.get(bad.record.id)).toBeNull();
  });

  test('it can be mended by an update of its types', async () => {
    const { postern, bad, store } = await spoilt({ types: 'not json' });
    expect((await refusal(postern.tokens.rotate(bad.record.id))).code).toBe('record_unreadable');
    await postern.tokens.update(bad.record.id, { types });
    store.mend();
    expect((await postern.authenticate(bad.token)).ok).toBe(true);
  });

  test('is not remembered as anything: once mended, it works at once', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    store.answer('findTokenByDigest', (real) => ({ ...(real as object), token: { types: '' } }));
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
    store.mend();
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
  });

  test('a store that answers nothing sensible at all', async () => {
    for (const answer of [undefined, 5, {}, [], { token: null, secret: null }, { token: {}, secret: {} }]) {
      const { postern, store } = createTestPostern();
      const { token } = await postern.tokens.create({ name: 'x', types });
      store.answer('findTokenByDigest', () => answer);
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
    }
  });
});

describe('a type or a scope of a later version', () => {
  test('grants nothing, and the rest of the record stands', async () => {
    const { postern, bad } = await spoilt({
      types: JSON.stringify({
        developer: { scopes: ['models:read', 'quantum:fold', 'models:fold'] },
        robot: { scopes: ['*'] },
      }),
    });
    expect(verdict(await postern.authorize({ token: bad.token, requirement }))).toBe('allowed');
    expect(verdict(await postern.authorize({ token: bad.token, requirement: { scope: 'iam:read' } }))).toBe(
      'scope_missing',
    );
    expect((await postern.tokens.get(bad.record.id))?.types).toEqual({
      developer: { scopes: ['models:read', 'quantum:fold', 'models:fold'] },
      robot: { scopes: ['*'] },
    });
  });
});

describe('an endpoint whose record was damaged', () => {
  test.each([['Public'], ['PROTECTED'], [''], [null], [undefined], [true], ['toString'], [['public']]])(
    'access %j: a fault for it, and nothing else',
    async (access) => {
      const { postern, store } = createTestPostern();
      for (const id of ['bad', 'good']) await postern.endpoints.create({ id, access: 'protected' });
      const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
      store.answer('listEndpoints', (real) =>
        (real as StoredEndpoint[]).map((each) => (each.id === 'bad' ? { ...each, access } : each)),
      );
      for (const zone of ['internal', 'external'] as const) {
        expect(verdict(await postern.authorize({ token, zone, requirement: { endpoint: 'bad' } }))).toBe(
          'internal_error',
        );
      }
      expect(postern.tryAuthorize({ token, requirement: { endpoint: 'bad' } })).toBeNull();
      expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'good' } }))).toBe('allowed');
    },
  );

  test.each([[''], [undefined], [null], [5]])('uid %j', async (uid) => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'bad', access: 'public' });
    store.answer('listEndpoints', (real) => (real as StoredEndpoint[]).map((each) => ({ ...each, uid })));
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'bad' } }))).toBe('internal_error');
  });
});
