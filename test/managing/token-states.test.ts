import { memoryStore } from 'postern';
import { createTestPostern } from 'postern/testing';
import { expect, test } from 'vitest';
import { aChange, aSecret, aToken, insertToken } from '../../src/testing/store-cases/case.js';

const types = { developer: { scopes: ['models:read'] } } as const;

test('tokens are listed and counted by their state, and by their end', async () => {
  const { postern, clock } = createTestPostern();
  const create = async (name: string, expiresIn?: `${number}d`) =>
    (await postern.tokens.create({ name, types, ...(expiresIn && { expiresIn }) })).record.id;
  await create('idle');
  await create('expiring', '45d');
  await create('expired', '1d');
  await postern.tokens.revoke(await create('revoked', '41d'));
  clock.advance('40d');
  await create('active');
  const names = async (query: Parameters<typeof postern.tokens.list>[0]) => {
    const { items } = await postern.tokens.list(query);
    expect(await postern.tokens.count(query)).toEqual({ count: items.length, more: false });
    return items.map(({ name }) => name).sort();
  };
  for (const state of ['active', 'expiring', 'idle', 'expired', 'revoked'] as const)
    expect(await names({ state })).toEqual([state]);
  expect(await names({ expires: '7d' })).toEqual(['expiring', 'revoked']);
  expect(await names({ expires: '7d', state: 'expiring' })).toEqual(['expiring']);
  expect(await names({ expires: 'never' })).toEqual(['active', 'idle']);
  await expect(postern.tokens.list({ state: 'dead' as never })).rejects.toMatchObject({ code: 'input_invalid' });
  await expect(postern.tokens.list({ expires: 'soon' as never })).rejects.toMatchObject({ code: 'input_invalid' });
});

test('an old revoked token is found among 10,000 newer ones in one call', async () => {
  const store = memoryStore();
  const { postern, clock } = createTestPostern({ store });
  const { record } = await postern.tokens.create({ name: 'old', types });
  await postern.tokens.revoke(record.id);
  const now = clock.now();
  for (let index = 0; index < 10_000; index++) {
    const token = aToken(String(index).padStart(22, '0'), { organization: 'default', createdAt: now + 1 });
    await insertToken(store, token, aSecret(token.id), aChange('token.created', token.id));
  }
  clock.advance(2);
  const { items, nextCursor } = await postern.tokens.list({ state: 'revoked' });
  expect(items.map(({ id }) => id)).toEqual([record.id]);
  expect(nextCursor).toBeNull();
});

test('the secrets of a token that work are listed, the current one first, and no longer', async () => {
  const { postern, clock } = createTestPostern();
  const { record } = await postern.tokens.create({ name: 'x', types, expiresIn: '30d' });
  const begun = new Date(clock.now());
  expect(await postern.tokens.secrets(record.id)).toEqual([{ createdAt: begun, endsAt: null }]);
  clock.advance('1h');
  const rotated = new Date(clock.now());
  await postern.tokens.rotate(record.id, { grace: '2h' });
  const current = { createdAt: rotated, endsAt: null };
  expect(await postern.tokens.secrets(record.id)).toEqual([
    current,
    { createdAt: begun, endsAt: new Date(clock.now() + 7_200_000) },
  ]);
  clock.advance('2h');
  expect(await postern.tokens.secrets(record.id)).toEqual([current]);
  await postern.tokens.revoke(record.id);
  expect(await postern.tokens.secrets(record.id)).toEqual([]);
  await expect(postern.tokens.secrets('none')).rejects.toMatchObject({ code: 'token_unknown' });
});
