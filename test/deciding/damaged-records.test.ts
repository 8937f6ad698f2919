import type { StoredEndpoint, StoredToken } from 'postern/store';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const requirement = { scope: 'models:read' } as const;

/** An instance with a sound token, and one whose row (or secret) the store gives out damaged. */
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
  ['types that are not JSON', { types: 'not json' }],
  ['types that are a list', { types: '[]' }],
  ['types that are null', { types: 'null' }],
  ['types that are empty', { types: '{}' }],
  ['types that are not a text', { types: undefined }],
  ['types of another structure', { types: '{"developer":{"scopes":"*"}}' }],
  ['an expiry that is NaN', { expiresAt: Number.NaN }],
  ['a missing expiry', { expiresAt: undefined }],
  ['a text as expiry', { expiresAt: '2020' }],
  ['an expiry beyond all dates', { expiresAt: 9e15 }],
  ['an infinite expiry', { expiresAt: Number.POSITIVE_INFINITY }],
  ['a missing revocation', { revokedAt: undefined }],
  ['a text as revocation', { revokedAt: 'yes' }],
  ['an unknown ownership', { ownership: 'shared' }],
  ['a number as owner', { owner: 7 }],
  ['no owner', { owner: undefined }],
  ['no organization', { organization: undefined }],
];

describe('a token with a damaged record', () => {
  test.each(DAMAGE)('with %s is an internal error, and other tokens work', async (_, damage) => {
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
    ['a missing end', { endsAt: undefined }],
    ['an end of NaN', { endsAt: Number.NaN }],
    ['a text as end', { endsAt: 'never' }],
  ])('whose secret has %s is an internal error, and other tokens work', async (_, damage) => {
    const { postern, bad, good } = await spoilt(damage, 'secret');
    expect(verdict(await postern.authorize({ token: bad.token, requirement }))).toBe('internal_error');
    expect(verdict(await postern.authorize({ token: good.token, requirement }))).toBe('allowed');
  });

  test('with damaged metadata is still allowed, and only showing its record fails', async () => {
    const { postern, bad } = await spoilt({ metadata: '[]' });
    expect(verdict(await postern.authorize({ token: bad.token, requirement }))).toBe('allowed');
    expect(await refusal(postern.tokens.get(bad.record.id))).toMatchObject({
      code: 'record_unreadable',
      path: 'metadata',
    });
    expect((await postern.tokens.list()).items.map(({ name }) => name)).toEqual(['good']);
  });

  test('can be revoked and deleted', async () => {
    const { postern, bad, store } = await spoilt({ types: 'not json' });
    await postern.tokens.revoke(bad.record.id);
    expect((await postern.authenticate(bad.token)).ok).toBe(false);
    await postern.tokens.update(bad.record.id, { types });
    store.mend();
    expect(await postern.authenticate(bad.token)).toEqual({ ok: false, reason: 'token_revoked' });
    await postern.tokens.delete(bad.record.id);
    expect(await postern.tokens.get(bad.record.id)).toBeNull();
  });

  test('can be mended by an update of its types', async () => {
    const { postern, bad, store } = await spoilt({ types: 'not json' });
    expect((await refusal(postern.tokens.rotate(bad.record.id))).code).toBe('record_unreadable');
    await postern.tokens.update(bad.record.id, { types });
    store.mend();
    expect((await postern.authenticate(bad.token)).ok).toBe(true);
  });

  test('is not cached, so it works at once when it is mended', async () => {
    const { postern, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types });
    store.answer('findTokenByDigest', (real) => ({ ...(real as object), token: { types: '' } }));
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
    store.mend();
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
  });

  test('is an internal error whatever the store answers instead of a record', async () => {
    for (const answer of [undefined, 5, {}, [], { token: null, secret: null }, { token: {}, secret: {} }]) {
      const { postern, store } = createTestPostern();
      const { token } = await postern.tokens.create({ name: 'x', types });
      store.answer('findTokenByDigest', () => answer);
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('internal_error');
    }
  });
});

describe('a token with a type or scope of a later version', () => {
  test('is granted nothing by it, and its other grants count', async () => {
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

describe('an endpoint with a damaged record', () => {
  test.each([['Public'], ['PROTECTED'], [''], [null], [undefined], [true], ['toString'], [['public']]])(
    'with access %j is an internal error in every zone, and other endpoints work',
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

  test.each([[''], [undefined], [null], [5]])('with uid %j is an internal error', async (uid) => {
    const { postern, store } = createTestPostern();
    await postern.endpoints.create({ id: 'bad', access: 'public' });
    store.answer('listEndpoints', (real) => (real as StoredEndpoint[]).map((each) => ({ ...each, uid })));
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'bad' } }))).toBe('internal_error');
  });
});
