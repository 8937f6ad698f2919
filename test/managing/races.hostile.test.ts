import { createHash } from 'node:crypto';
import { memoryStore } from 'postern';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] }, user: { endpoints: '*' } } as const;
const requirement = { scope: 'models:read' } as const;

describe.each([
  ['with a feed', true],
  ['without a feed', false],
])('a read under way during a change, %s,', (_, feed) => {
  const make = () => createTestPostern({ store: controlledStore(memoryStore(), { feed }) });

  test('that was answered before the revocation is not cached', async () => {
    const { postern, store } = make();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const gate = store.hold('findTokenByDigest', 'after');
    const early = postern.authorize({ token, requirement });
    const held = await gate.next();
    gate.end();
    await postern.tokens.revoke(record.id);
    held.release();
    await early;
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_revoked');
    expect(postern.tryAuthorize({ token, requirement })).toEqual({ allowed: false, reason: 'token_revoked' });
  });

  test('that reaches the store after the revocation is refused', async () => {
    const { postern, store } = make();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const gate = store.hold('findTokenByDigest', 'before');
    const early = postern.authorize({ token, requirement });
    const held = await gate.next();
    gate.end();
    await postern.tokens.revoke(record.id);
    held.release();
    expect(verdict(await early)).toBe('token_revoked');
  });

  test('is not joined by a call that came after the revocation', async () => {
    const { postern, store } = make();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    const gate = store.hold('findTokenByDigest', 'after');
    const early = postern.authorize({ token, requirement });
    const held = await gate.next();
    gate.end();
    const joined = postern.authorize({ token, requirement });
    await postern.tokens.revoke(record.id);
    const late = await postern.authorize({ token, requirement });
    expect(verdict(late)).toBe('token_revoked');
    expect(store.count('findTokenByDigest')).toBe(2);
    held.release();
    await Promise.all([early, joined]);
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_revoked');
  });

  test('of endpoints that was answered before a change of access is not cached', async () => {
    const { postern, store } = make();
    await postern.endpoints.create({ id: 'a', access: 'public' });
    const gate = store.hold('listEndpoints', 'after');
    const early = postern.authorize({ requirement: { endpoint: 'a' } });
    const held = await gate.next();
    gate.end();
    await postern.endpoints.update('a', { access: 'private' });
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('endpoint_private');
    held.release();
    await early;
    expect(verdict(await postern.authorize({ requirement: { endpoint: 'a' } }))).toBe('endpoint_private');
  });

  test('never hides one of 150 revocations among 300 concurrent changes', async () => {
    const { postern } = make();
    const made = await Promise.all(Array.from({ length: 300 }, () => postern.tokens.create({ name: 'x', types })));
    for (const { token } of made) await postern.authenticate(token);
    await Promise.all(
      made.map(({ record }, i) =>
        i % 2 ? postern.tokens.revoke(record.id) : postern.tokens.update(record.id, { name: 'y' }),
      ),
    );
    const alive = await Promise.all(made.map(async ({ token }) => (await postern.authenticate(token)).ok));
    expect(alive).toEqual(made.map((_made, i) => i % 2 === 0));
  });
});

describe('a change that was written but whose answer was lost', () => {
  test.each(['revoke', 'delete', 'rotate', 'update'] as const)(
    'by %s rejects, and the old token is not served from the cache',
    async (method) => {
      const { postern, store } = createTestPostern({ store: controlledStore(memoryStore(), { feed: false }) });
      const { token, record } = await postern.tokens.create({ name: 'x', types });
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
      store.fail('replaceToken', 'written');
      store.fail('deleteTokens', 'written');
      store.fail('revokeToken', 'written');
      const work =
        method === 'update'
          ? postern.tokens.update(record.id, { types: { user: { endpoints: '*' } } })
          : postern.tokens[method](record.id);
      expect((await refusal(work)).code).toBe('unavailable');
      expect((await postern.authorize({ token, requirement })).allowed).toBe(false);
    },
  );
});

test('an imported token works at once, also if it was refused before', async () => {
  const { postern } = createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/ }] });
  const token = `old_${'a'.repeat(32)}`;
  expect((await postern.authenticate(token)).ok).toBe(false);
  await postern.tokens.import({ name: 'x', types, digest: createHash('sha256').update(token).digest('hex') });
  expect((await postern.authenticate(token)).ok).toBe(true);
});

test('an unknown token that is imported during its read works at the next call', async () => {
  const { postern, store } = createTestPostern({ importedTokens: [{ pattern: /^old_\w{32}$/ }] });
  const token = `old_${'b'.repeat(32)}`;
  const gate = store.hold('findTokenByDigest', 'after');
  const early = postern.authenticate(token);
  const held = await gate.next();
  gate.end();
  await postern.tokens.import({ name: 'x', types, digest: createHash('sha256').update(token).digest('hex') });
  held.release();
  expect(await early).toEqual({ ok: false, reason: 'token_unknown' });
  expect((await postern.authenticate(token)).ok).toBe(true);
});

test('a read that ends after close is not cached, and later calls are unavailable', async () => {
  const { postern, store } = createTestPostern();
  const { token } = await postern.tokens.create({ name: 'x', types });
  const gate = store.hold('findTokenByDigest', 'after');
  const early = postern.authorize({ token, requirement });
  const held = await gate.next();
  gate.end();
  await postern.close();
  held.release();
  await early;
  expect(postern.tryAuthorize({ token, requirement })).toBeNull();
  expect(await postern.authorize({ token, requirement })).toMatchObject({
    allowed: false,
    reason: 'unavailable',
    cause: 'store',
  });
});
