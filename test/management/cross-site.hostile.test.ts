import { describe, expect, test } from 'vitest';
import { DEVELOPER, signedIn, TOKENS, type World, world } from './world.js';

describe('a change in a session', () => {
  const attempt = async (headers: Record<string, string>, options = {}) => {
    const { ask } = await world({ options });
    const asked = { method: 'POST', json: DEVELOPER, headers: { cookie: 'app=ada', ...headers } };
    return (await ask(TOKENS, asked)).status;
  };

  test.each([
    [{ 'sec-fetch-site': 'same-origin' }, 200],
    [{ origin: 'https://acme.dev' }, 200],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://acme.dev' }, 200],
    [{}, 403],
    [{ 'sec-fetch-site': 'same-site' }, 403],
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'none' }, 403],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://acme.dev' }, 403],
    [{ origin: 'https://evil.dev' }, 403],
    [{ origin: 'https://acme.dev.evil.dev' }, 403],
    [{ origin: 'http://acme.dev' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: '' }, 403],
    [{ referer: 'https://acme.dev/' }, 403],
  ])('with the headers %j gets %i', async (headers, status) => {
    expect(await attempt(headers as Record<string, string>)).toBe(status);
  });

  test('is compared with the public origin if that is given', async () => {
    const options = { origin: 'https://public.dev' };
    expect(await attempt({ origin: 'https://public.dev' }, options)).toBe(200);
    expect(await attempt({ origin: 'https://acme.dev' }, options)).toBe(403);
  });

  test('that is refused changes nothing, and a token in a header needs no origin', async () => {
    const { ask, store, tokens } = await world();
    const before = store.count('replaceToken', 'deleteTokens');
    const headers = { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' };
    for (const [method, path] of [
      ['DELETE', `${TOKENS}/${tokens.shared?.id}`],
      ['POST', `${TOKENS}/${tokens.shared?.id}/revoke`],
      ['DELETE', '/api/v1/endpoints/a'],
    ] as const) {
      expect((await ask(path, { method, headers })).body.code).toBe('origin_mismatch');
    }
    expect(store.count('replaceToken', 'deleteTokens')).toBe(before);
    expect((await ask(TOKENS, { person: 'boss', headers })).status).toBe(200);
    const sent = { cookie: 'app=boss', 'sec-fetch-site': 'cross-site' };
    expect(
      (await ask(`${TOKENS}/${tokens.shared?.id}`, { method: 'DELETE', token: 'admin', headers: sent })).status,
    ).toBe(200);
  });
});

describe("a request of another site's page", () => {
  const cookies = async (made: World) => ['app=boss', await signedIn(made.api, made.tokens.admin?.token as string)];
  const CHANGES = [
    ['POST', TOKENS, { name: 'x', scopes: ['models:read'] }],
    ['PATCH', `${TOKENS}/{id}`, { name: 'x' }],
    ['DELETE', `${TOKENS}/{id}`, undefined],
    ['POST', `${TOKENS}/{id}/rotate`, {}],
    ['POST', `${TOKENS}/{id}/revoke`, {}],
    ['POST', '/api/v1/endpoints', { id: 'x' }],
    ['PATCH', '/api/v1/endpoints/a', { access: 'public' }],
    ['DELETE', '/api/v1/endpoints/a', undefined],
    ['POST', '/api/v1/auth/requests/{code}', {}],
    ['POST', '/api/v1/auth/requests/{code}/approve', {}],
    ['POST', '/api/v1/auth/requests/{code}/deny', {}],
    ['DELETE', '/api/v1/session', undefined],
  ] as const;
  const FROM = [
    {},
    { origin: 'null' },
    { origin: 'https://acme.dev.evil.dev' },
    { origin: 'https://acme.dev/' },
    { origin: 'http://acme.dev' },
    { origin: 'https://ACME.dev' },
    { origin: 'https://acme.dev', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': '' },
    { 'sec-fetch-site': 'same-origin, cross-site' },
    { referer: 'https://acme.dev/api_tokens' },
    { 'x-forwarded-host': 'evil.dev', origin: 'https://evil.dev' },
    { 'x-requested-with': 'XMLHttpRequest' },
    { authorization: 'Basic eDp5' },
  ];

  test.each(CHANGES)('for %s %s is refused, and nothing changes', async (method, path, json) => {
    const made = await world({ options: { session: true } });
    const { code } = (await made.ask('/api/v1/auth/code')).body;
    const changes = async () => (await made.postern.audit.list({ limit: 1_000 })).items.length;
    const before = await changes();
    const address = path.replace('{id}', made.tokens.shared?.id as string).replace('{code}', code);
    for (const cookie of await cookies(made)) {
      for (const from of FROM) {
        const refused = await made.ask(address, { method, json, headers: { ...(from as object), cookie } });
        expect([from, refused.status, refused.body.code]).toEqual([from, 403, 'origin_mismatch']);
      }
    }
    expect(await changes()).toBe(before);
    const login = await made.ask(`/api/v1/auth/requests/${code}`, { method: 'POST', json: {}, person: 'boss' });
    expect(login.body.status).toBe('pending');
  });

  test('is compared with the public origin behind a proxy that ends TLS', async () => {
    const made = await world({ options: { session: true, origin: 'https://tokens.acme.dev' } });
    const json = { name: 'x', scopes: ['models:read'] };
    const ask = (origin: string) => made.ask(TOKENS, { method: 'POST', json, headers: { origin, cookie: 'app=boss' } });
    expect([(await ask('https://tokens.acme.dev')).status, (await ask('https://acme.dev')).status]).toEqual([200, 403]);
  });
});
