import { memoryRateLimiter } from 'postern/limits';
import { describe, expect, test } from 'vitest';
import { answer, approve, asking, begin, CODE, DAY, MINUTE, poll, READ } from './logins.js';
import { type World, world } from './world.js';

describe('an approver', () => {
  test("sees the terminal's host, address and time, and the wanted grants", async () => {
    const made = await world({ options: { clientAddress: () => '192.0.2.7' } });
    const code = await begin(made, `${CODE}?${asking(READ.types)}`);
    const asked = made.clock.now();
    made.clock.advance(30_000);
    const { status, body } = await answer(made, code, '', {}, { person: 'ada' });
    expect([status, body]).toEqual([
      200,
      {
        from: '192.0.2.7',
        created_at: new Date(asked).toISOString(),
        expires_at: new Date(asked + 5 * MINUTE).toISOString(),
        bound: false,
        status: 'pending',
        asked: READ.types,
        types: null,
        token_expires_at: new Date(made.clock.now() + DAY).toISOString(),
        token_expires_in: '24h',
      },
    ]);
  });

  test("grants the wanted or the chosen grants, in our words or BentoCloud's", async () => {
    const made = await world();
    for (const [json, scopes] of [
      [{}, ['models:write']],
      [{ types: { developer: { scopes: ['models:read'] } } }, ['models:read']],
      [{ scopes: ['read_organization'] }, ['iam:read']],
    ] as const) {
      const code = await begin(made, `${CODE}?${asking({ developer: { scopes: ['models:write'] } })}`);
      expect((await approve(made, code, json)).body.types).toEqual({ developer: { scopes } });
      const outcome = await made.postern.authenticate(await poll(made, code));
      expect(outcome).toMatchObject({ principal: { types: { developer: { scopes } } } });
    }
  });

  test.each([
    ["grants beyond a person's own", { person: 'ada' }, { scopes: ['api'] }, 403, 'scope_missing'],
    [
      'an endpoint that is not reached',
      { person: 'ada' },
      { types: { user: { endpoints: ['b'] } } },
      403,
      'endpoint_not_granted',
    ],
    ['an unknown endpoint', { person: 'ada' }, { types: { user: { endpoints: ['zz'] } } }, 403, 'endpoint_not_granted'],
    ['an unknown endpoint', { person: 'boss' }, { types: { user: { endpoints: ['zz'] } } }, 400, 'endpoint_unknown'],
    ['nothing if nothing was wanted', { person: 'boss' }, {}, 400, 'types_missing'],
    ['anything as a person without rights', { person: 'bob' }, READ, 403, 'scope_missing'],
    ['with a token that manages no tokens', { token: 'reader' }, {}, 403, 'scope_missing'],
    ['with a token for endpoints only', { token: 'user' }, {}, 403, 'scope_missing'],
    ['without credentials', {}, {}, 401, 'token_missing'],
    [
      'from a page of another site',
      { headers: { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' } },
      {},
      403,
      'origin_mismatch',
    ],
    ['an invalid lifetime', { person: 'boss' }, { ...READ, expires_in: 'long' }, 400, 'input_invalid'],
    ['an unknown field', { person: 'boss' }, { owner: 'bob' }, 400, 'option_unknown'],
  ])('may not approve %s, as %j', async (_, who, json, status, code) => {
    const made = await world();
    const login = await begin(made);
    const refused = await approve(made, login, json, who);
    expect([refused.status, refused.body.code]).toEqual([status, code]);
    expect(await poll(made, login)).toBe('401 authorization_pending');
  });

  test('with a token makes a token of its owner', async () => {
    const made = await world();
    const code = await begin(made);
    expect((await approve(made, code, READ, { token: 'writer' })).status).toBe(200);
    const outcome = await made.postern.authenticate(await poll(made, code));
    expect(outcome).toMatchObject({
      principal: { owner: 'ada', grants: { scopes: ['models:read'] } },
    });
  });

  test.each([
    ['is revoked', (made: World, id: string) => made.postern.tokens.revoke(id)],
    ['is deleted', (made: World, id: string) => made.postern.tokens.delete(id)],
    [
      'expires',
      async (made: World, id: string) => {
        await made.postern.tokens.update(id, { expiresAt: new Date(made.clock.now() + 1) });
        made.clock.advance(1);
      },
    ],
    [
      'loses grants',
      (made: World, id: string) =>
        made.postern.tokens.update(id, { types: { developer: { scopes: ['iam:write', 'models:read'] } } }),
    ],
    [
      'loses the right to manage',
      (made: World, id: string) =>
        made.postern.tokens.update(id, { types: { developer: { scopes: ['models:write'] } } }),
    ],
  ])('that %s before the collection leaves no token and a used-up code', async (_, change) => {
    const made = await world();
    const [first, second] = [await begin(made), await begin(made)];
    const json = { types: { developer: { scopes: ['models:write'] } } };
    for (const code of [first, second]) {
      expect((await approve(made, code, json, { token: 'writer' })).status).toBe(200);
    }
    expect(await poll(made, first)).toMatch(/^pst_/);
    await change(made, made.tokens.writer?.id as string);
    expect(await poll(made, second)).toBe('401 access_denied');
    expect(await poll(made, second)).toBe('401 expired_token');
    expect((await made.postern.tokens.list({ search: 'Login' })).items).toHaveLength(1);
  });

  test('may not use a derived token, or one with limits', async () => {
    const { derive } = await import('postern/jwt');
    const made = await world({ postern: { rateLimiter: memoryRateLimiter() } });
    const code = await begin(made);
    const narrow = await derive(made.tokens.writer?.token as string, { clock: made.clock.now });
    expect((await approve(made, code, READ, { token: narrow })).body.code).toBe('issuance_forbidden');
    const rateLimit = { points: 100, duration: '1m' } as const;
    await made.postern.tokens.update(made.tokens.writer?.id as string, { rateLimit });
    expect((await approve(made, code, READ, { token: 'writer' })).body.code).toBe('limits_forbidden');
  });

  test('of another organization can not find a login answered here', async () => {
    const made = await world();
    const code = await begin(made);
    await approve(made, code);
    expect((await answer(made, code, '', {}, { person: 'eve' })).status).toBe(404);
    expect((await approve(made, code, READ, { person: 'eve' })).status).toBe(404);
    expect((await approve(made, code)).status).toBe(409);
    expect((await answer(made, 'a'.repeat(22), '', {}, { person: 'eve' })).status).toBe(404);
  });

  test('can refuse, and the terminal is told', async () => {
    const made = await world();
    const code = await begin(made);
    const denied = await answer(made, code, '/deny', {}, { person: 'ada' });
    expect([denied.status, denied.body.status]).toEqual([200, 'denied']);
    expect(await poll(made, code)).toBe('401 access_denied');
    expect((await approve(made, code)).status).toBe(409);
  });

  test('is named in the audit, with the address of the collection', async () => {
    const made = await world({
      options: { clientAddress: ({ headers }) => headers.get('x-test-address') ?? '192.0.2.1' },
    });
    const code = await begin(made);
    await approve(made, code, READ, { token: 'writer' });
    await made.ask(`/api/v1/auth/token?code=${code}`, { headers: { 'x-test-address': '192.0.2.9' } });
    const { items } = await made.postern.audit.list({ type: 'token.created', limit: 1 });
    expect(items[0]).toMatchObject({
      actor: { kind: 'principal', tokenId: made.tokens.writer?.id, owner: 'ada' },
      after: { name: 'Login from 192.0.2.1' },
    });
    expect(items[0]?.from).toBe('192.0.2.9');
  });
});
