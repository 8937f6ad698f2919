import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';

const types = { developer: { scopes: ['models:read'] } } as const;
const can = { scope: 'models:read' } as const;

describe('revoke and delete', () => {
  test('a revoked token is listed and refused, and revoking it again changes nothing', async () => {
    const { postern, clock } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'x', types });
    expect((await postern.authenticate(token)).ok).toBe(true);
    await postern.tokens.revoke(record.id);
    expect(postern.tryAuthorize({ token, requirement: can })).not.toMatchObject({ allowed: true });
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
    clock.advance(5);
    await postern.tokens.revoke(record.id);
    expect(await postern.tokens.get(record.id)).toMatchObject({ revokedAt: new Date(START) });
    expect((await postern.tokens.list()).items).toHaveLength(1);
  });

  test('a deleted token is gone with all its secrets', async () => {
    const { postern } = createTestPostern();
    const first = await postern.tokens.create({ name: 'x', types });
    const second = await postern.tokens.rotate(first.record.id, { grace: '1h' });
    await postern.tokens.delete(first.record.id);
    await postern.tokens.delete(first.record.id);
    expect(await postern.tokens.get(first.record.id)).toBeNull();
    for (const token of [first.token, second.token]) {
      expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_unknown' });
    }
  });

  test('both succeed for an unknown token', async () => {
    const { postern, events } = createTestPostern();
    for (const id of ['0000000000000000000000', '', '../x', 5, null]) {
      await postern.tokens.revoke(id as never);
      await postern.tokens.delete(id as never);
    }
    expect(events).toEqual([]);
  });

  test('revokeOwned ends the personal tokens of its owner in its organization, and no others', async () => {
    const { postern } = createTestPostern();
    const make = async (fields: object) => (await postern.tokens.create({ name: 'x', types, ...fields })).token;
    const personal = await Promise.all(Array.from({ length: 250 }, () => make({ owner: 'ada' })));
    const others = [
      await make({ owner: 'ada', ownership: 'organization' }),
      await make({ owner: 'bob' }),
      await make({ owner: 'ada', organization: 'other' }),
      await make({}),
    ];
    expect(await postern.tokens.revokeOwned({ owner: 'ada' })).toBe(250);
    expect(await postern.tokens.revokeOwned({ owner: 'ada' })).toBe(0);
    for (const token of personal) expect((await postern.authenticate(token)).ok).toBe(false);
    for (const token of others) expect((await postern.authenticate(token)).ok).toBe(true);
    expect((await refusal(postern.tokens.revokeOwned({} as never))).path).toBe('owner');
    expect((await refusal(postern.tokens.revokeOwned({ owner: 'a', organization: '*' }))).path).toBe('organization');
  });

  test('pruneExpired deletes tokens expired for long enough, and no others', async () => {
    const { postern, clock } = createTestPostern();
    for (let i = 0; i < 205; i++)
      await postern.tokens.create({ name: 'old', types, expiresIn: '1h', organization: i % 2 ? 'a' : 'b' });
    await postern.tokens.create({ name: 'young', types, expiresIn: '2h' });
    await postern.tokens.create({ name: 'never', types });
    clock.advance(2 * 3_600_000);
    expect(await postern.tokens.pruneExpired({ olderThan: '61m' })).toBe(0);
    expect(await postern.tokens.pruneExpired({ olderThan: '1h' })).toBe(205);
    expect(await postern.tokens.pruneExpired()).toBe(1);
    expect((await postern.tokens.list({ organization: '*' })).items.map(({ name }) => name)).toEqual(['never']);
    expect((await refusal(postern.tokens.pruneExpired({ olderThan: 'x' } as never))).path).toBe('olderThan');
  });
});

describe('the endpoints a token reaches', () => {
  test('do not include a new endpoint of a deleted name', async () => {
    const { postern } = createTestPostern();
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    const named = await postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } });
    const every = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    const ask = async (token: string) => verdict(await postern.authorize({ token, requirement: { endpoint: 'a' } }));
    expect([await ask(named.token), await ask(every.token)]).toEqual(['allowed', 'allowed']);
    await postern.endpoints.delete('a');
    expect([await ask(named.token), await ask(every.token)]).toEqual(['endpoint_unknown', 'endpoint_unknown']);
    await postern.endpoints.create({ id: 'a', access: 'protected' });
    expect([await ask(named.token), await ask(every.token)]).toEqual(['endpoint_not_granted', 'allowed']);
    await postern.tokens.update(named.record.id, { types: { user: { endpoints: ['a'] } } });
    expect(await ask(named.token)).toBe('allowed');
  });

  test("with '*' include later ones of its own organization only", async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'x', types: { user: { endpoints: '*' } } });
    await postern.endpoints.create({ id: 'later', access: 'protected' });
    await postern.endpoints.create({ id: 'later', access: 'protected', organization: 'other' });
    expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'later' } }))).toBe('allowed');
    expect(verdict(await postern.authorize({ token, requirement: { endpoint: 'later', organization: 'other' } }))).toBe(
      'endpoint_not_granted',
    );
  });
});

test('every change rejects as unavailable if the store fails, and as closed after close', async () => {
  const { postern, store } = createTestPostern();
  const { record } = await postern.tokens.create({ name: 'x', types });
  const work = [
    () => postern.tokens.create({ name: 'x', types }),
    () => postern.tokens.create({ name: 'x', types: { user: { endpoints: ['a'] } } }),
    () => postern.tokens.get(record.id),
    () => postern.tokens.list(),
    () => postern.tokens.update(record.id, { name: 'y' }),
    () => postern.tokens.rotate(record.id),
    () => postern.tokens.revoke(record.id),
    () => postern.tokens.delete(record.id),
    () => postern.tokens.revokeOwned({ owner: 'ada' }),
    () => postern.tokens.pruneExpired(),
    () => postern.endpoints.create({ id: 'a', access: 'public' }),
    () => postern.endpoints.get('a'),
    () => postern.endpoints.list(),
    () => postern.endpoints.update('a', { access: 'public' }),
    () => postern.endpoints.delete('a'),
  ];
  for (const how of ['reject', 'throw'] as const) {
    for (const method of [
      'insertTokens',
      'findToken',
      'listTokens',
      'findEndpoint',
      'listEndpoints',
      'insertEndpoint',
      'listExpiredTokens',
    ] as const) {
      store.fail(method, how);
    }
    for (const each of work) expect((await refusal(each())).code).toBe('unavailable');
    store.mend();
  }
  await postern.close();
  await postern.close();
  expect(store.count('close')).toBe(1);
  for (const each of work) expect((await refusal(each())).code).toBe('closed');
});

test.each(['revoke', 'delete'] as const)('%s refuses a record, which is no id', async (call) => {
  const { postern, issue } = createTestPostern();
  const { record, token } = await issue({ scopes: ['*'] });
  expect(await refusal(postern.tokens[call](record as never) as Promise<unknown>)).toMatchObject({
    code: 'input_invalid',
    path: 'id',
  });
  expect((await postern.authenticate(token)).ok).toBe(true);
});
