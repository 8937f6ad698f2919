import { describe, expect, test } from 'vitest';
import { DEVELOPER, TOKENS, world } from './world.js';

describe('an outage', () => {
  test('gives 503 for every call, tells nothing of the store, and is reported', async () => {
    const { ask, store, errors, tokens } = await world();
    // The caller is cached from before.
    await ask(TOKENS, { token: 'admin' });
    const down = new Error('connect ECONNREFUSED db.internal:5432');
    for (const method of [
      'listTokens',
      'findToken',
      'countTokens',
      'insertTokens',
      'deleteTokens',
      'replaceToken',
      'listChanges',
      'listEndpoints',
      'findEndpoint',
      'insertEndpoint',
      'putEntry',
      'findEntry',
      'listUsage',
    ] as const) {
      store.fail(method, 'reject', down);
    }
    const uid = tokens.shared?.id;
    for (const [method, path, json] of [
      ['GET', TOKENS],
      ['POST', TOKENS, DEVELOPER],
      ['GET', `${TOKENS}/${uid}`],
      ['PATCH', `${TOKENS}/${uid}`, { name: 'y' }],
      ['DELETE', `${TOKENS}/${uid}`],
      ['POST', `${TOKENS}/${uid}/rotate`, {}],
      ['POST', `${TOKENS}/${uid}/revoke`, {}],
      ['GET', `${TOKENS}/${uid}/usage`],
      ['GET', '/api/v1/endpoints'],
      ['POST', '/api/v1/endpoints', { id: 'z' }],
      ['GET', '/api/v1/endpoints/a/preview?access=public'],
      ['GET', '/api/v1/audit'],
      ['GET', '/api/v1/auth/code'],
      ['GET', `/api/v1/auth/token?code=${'a'.repeat(22)}`],
      ['POST', `/api/v1/auth/requests/${'a'.repeat(22)}`, {}],
    ] as const) {
      errors.length = 0;
      const answer = await ask(path, { method, token: 'admin', ...(json !== undefined && { json }) });
      expect([answer.status, answer.body.code, answer.headers.get('retry-after'), path]).toEqual([
        503,
        'unavailable',
        '5',
        path,
      ]);
      expect(answer.text).not.toContain('db.internal');
      expect(errors).toHaveLength(1);
    }
  });

  test('during the look-up of a token is not a bad token', async () => {
    const { ask, store } = await world();
    store.fail('findTokenByDigest', 'reject');
    const answer = await ask('/api/v1/auth/current', { token: 'admin' });
    expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
  });

  test('of one damaged record still shows the page of the others', async () => {
    const { ask, store, tokens } = await world();
    store.answer('listTokens', (real) =>
      (real as { name: string }[]).map((token) => (token.name === 'shared' ? { ...token, types: 'spoilt' } : token)),
    );
    const page = await ask(TOKENS, { token: 'admin' });
    expect([page.status, page.body.items.length]).toEqual([200, 6]);
    store.answer('findToken', (real) => ({ ...(real as object), types: 'spoilt' }));
    const one = await ask(`${TOKENS}/${tokens.shared?.id}`, { token: 'admin' });
    expect([one.status, one.body.code]).toEqual([500, 'record_unreadable']);
  });

  const fail = () => {
    throw new Error('logger is down');
  };

  test.each([
    ['throws', fail],
    ['rejects', async () => fail()],
  ])('with an onError that %s gets the same answer', async (_, onError) => {
    const { ask, store } = await world({ options: { onError } });
    await ask(TOKENS, { token: 'admin' });
    store.fail('listTokens', 'reject');
    expect((await ask(TOKENS, { token: 'admin' })).status).toBe(503);
  });
});
