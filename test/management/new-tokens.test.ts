import { describe, expect, test } from 'vitest';
import { DEVELOPER, TOKENS, world } from './world.js';

describe('a token made over the API', () => {
  test('belongs to the caller, whatever the body says', async () => {
    const { ask, postern } = await world();
    const made = await ask(TOKENS, { method: 'POST', person: 'ada', json: DEVELOPER });
    expect(made.body).toMatchObject({ owner: 'ada', organization: { name: 'acme' }, is_organization_token: false });
    expect((await postern.tokens.get(made.body.uid))?.ownership).toBe('personal');
    for (const more of [
      { owner: 'bob' },
      { organization: 'other' },
      { user: 'bob' },
      { is_organization_token: true },
    ]) {
      const refused = await ask(TOKENS, { method: 'POST', token: 'admin', json: { ...DEVELOPER, ...more } });
      expect([refused.status, refused.body.code]).toEqual([400, 'option_unknown']);
    }
  });

  test('belongs to the organization only if the caller manages its tokens', async () => {
    const { ask } = await world();
    const make = (who: object) =>
      ask(TOKENS, { method: 'POST', json: { ...DEVELOPER, ownership: 'organization' }, ...who });
    expect((await make({ person: 'ada' })).status).toBe(403);
    expect((await make({ person: 'boss' })).body).toMatchObject({ is_organization_token: true, owner: 'boss' });
    expect((await make({ token: 'writer' })).status).toBe(200);
  });

  test.each([
    ['a scope that is not held', { developer: { scopes: ['models:write'] } }, 403, 'scope_missing'],
    ['all scopes', { developer: { scopes: ['*'] } }, 403, 'scope_missing'],
    ['an endpoint that is not reached', { user: { endpoints: ['b'] } }, 403, 'endpoint_not_granted'],
    ['all endpoints', { user: { endpoints: '*' } }, 403, 'endpoint_not_granted'],
    ['an unknown endpoint', { user: { endpoints: ['none'] } }, 403, 'endpoint_not_granted'],
    ['an unknown scope', { developer: { scopes: ['models:paint'] } }, 400, 'scope_unknown'],
    ['an unknown type', { root: { scopes: ['*'] } }, 400, 'type_unknown'],
    ['no type', {}, 400, 'types_missing'],
    ['a type without grants', { developer: { scopes: [] } }, 400, 'input_invalid'],
    [
      'the grants that are held',
      { developer: { scopes: ['models:read'] }, user: { endpoints: ['a'] } },
      200,
      undefined,
    ],
  ])("is bounded by the person's grants: %s", async (_, types, status, code) => {
    const { ask } = await world();
    const made = await ask(TOKENS, { method: 'POST', person: 'ada', json: { name: 'x', types } });
    expect([made.status, made.body.code]).toEqual([status, code]);
  });

  test('is bounded by the grants of the token that makes it, also by update and rotation', async () => {
    const { ask, tokens, postern } = await world();
    const call = (method: string, path: string, json: unknown) => ask(path, { method, token: 'writer', json });
    const more = { types: { developer: { scopes: ['cluster:write'] } } };
    const mighty = tokens.admin?.id;
    expect((await call('POST', TOKENS, { name: 'x', ...more })).body.code).toBe('scope_missing');
    expect((await call('PATCH', `${TOKENS}/${tokens.modeller?.id}`, more)).body.code).toBe('scope_missing');
    expect((await call('PATCH', `${TOKENS}/${mighty}`, { expired_at: null })).body.code).toBe('scope_missing');
    expect((await call('POST', `${TOKENS}/${mighty}/rotate`, {})).body.code).toBe('scope_missing');
    expect((await call('POST', TOKENS, { name: 'x', types: { user: { endpoints: ['a'] } } })).body.code).toBe(
      'endpoint_not_granted',
    );
    expect((await postern.authenticate(tokens.admin?.token)).ok).toBe(true);
  });

  test('may reach all endpoints if the caller may open endpoints to everyone', async () => {
    const { ask, postern } = await world();
    const json = { name: 'x', types: { user: { endpoints: '*' } } };
    const made = await ask(TOKENS, { method: 'POST', token: 'admin', json });
    expect([made.status, made.body.is_global_access]).toEqual([200, true]);
    expect((await ask(TOKENS, { method: 'POST', person: 'boss', json })).status).toBe(200);
    const requirement = { endpoint: 'a', organization: 'other' };
    expect((await postern.authorize({ token: made.body.token, requirement })).allowed).toBe(false);
  });

  test("is not made by rotating another person's token, whose secret would speak for that person", async () => {
    const { ask, tokens } = await world();
    for (const who of [{ token: 'admin' }, { person: 'boss' }]) {
      const rotated = await ask(`${TOKENS}/${tokens.modeller?.id}/rotate`, { method: 'POST', json: {}, ...who });
      expect([rotated.status, rotated.body.code]).toEqual([403, 'owner_forbidden']);
    }
    const own = await ask(`${TOKENS}/${tokens.modeller?.id}/rotate`, { method: 'POST', token: 'writer', json: {} });
    expect(own.status).toBe(200);
  });

  test('is not made with a derived token or a token with limits', async () => {
    const { derive } = await import('postern/jwt');
    const { memoryRateLimiter } = await import('postern/limits');
    const { ask, tokens, postern, clock } = await world({ postern: { rateLimiter: memoryRateLimiter() } });
    const narrow = await derive(tokens.writer?.token as string, {
      scopes: ['iam:write', 'models:read'],
      clock: clock.now,
    });
    expect((await ask(TOKENS, { token: narrow })).status).toBe(200);
    const refused = await ask(TOKENS, { method: 'POST', token: narrow, json: DEVELOPER });
    expect([refused.status, refused.body.code]).toEqual([403, 'issuance_forbidden']);

    const rateLimit = { points: 100, duration: '1m' } as const;
    await postern.tokens.update(tokens.admin?.id as string, { rateLimit });
    const limited = await ask(TOKENS, { method: 'POST', token: 'admin', json: DEVELOPER });
    expect([limited.status, limited.body.code]).toEqual([403, 'limits_forbidden']);
    expect((await ask(TOKENS, { token: 'admin' })).headers.get('ratelimit')).toMatch(/^"rate";r=\d+/);
  });

  test('is recorded in the audit with its maker', async () => {
    const { ask, postern, tokens } = await world({ options: { clientAddress: () => '192.0.2.7' } });
    const { body } = await ask(TOKENS, { method: 'POST', token: 'writer', json: DEVELOPER });
    const { items } = await postern.audit.list({ subject: body.uid });
    expect(items).toMatchObject([
      { actor: { kind: 'principal', tokenId: tokens.writer?.id, owner: 'ada' }, from: '192.0.2.7' },
    ]);
  });
});
