import { accessTokens, derive, generateKeys } from 'postern/jwt';
import { memoryRateLimiter } from 'postern/limits';
import { describe, expect, test } from 'vitest';
import { TOKENS, type World, world } from './world.js';

const WIDER = { types: { developer: { scopes: ['iam:write', 'models:write'] } } };

async function signedWorld() {
  const signed = accessTokens({
    issuer: 'https://auth.acme.dev',
    audience: 'https://api.acme.dev',
    keys: await generateKeys(),
  });
  const made = await world({
    options: { accessTokens: signed, session: true },
    postern: { authenticators: [signed] },
  });
  const admin = made.tokens.admin?.token as string;
  const derived = await derive(admin, {
    scopes: ['iam:write', 'models:write'],
    expiresIn: '5m',
    clock: made.clock.now,
  });
  const { accessToken } = await signed.exchange(made.postern, admin, { scopes: ['iam:write', 'models:write'] });
  return { ...made, derived, accessToken };
}

const tokenOf = async ({ postern }: World, id: string | undefined) => postern.tokens.get(id as string);

/** Every way to grant something to a token or to get its secret. */
const GRANTS = [
  ['a new token', 'POST', '', { name: 'x', ...WIDER }],
  ['more grants of another token', 'PATCH', '/{id}', WIDER],
  ["more grants of another token in BentoCloud's words", 'PATCH', '/{id}', { scopes: ['write_organization'] }],
  ['a longer life of another token', 'PATCH', '/{id}', { expired_at: '2030-01-01T00:00:00Z' }],
  ['the secret of another token', 'POST', '/{id}/rotate', {}],
] as const;

describe.each(['derived', 'accessToken'] as const)('a credential of five minutes (%s)', (kind) => {
  test.each(GRANTS)('can not get %s', async (_, method, path, json) => {
    const made = await signedWorld();
    const id = made.tokens.shared?.id as string;
    const before = await tokenOf(made, id);
    const refused = await made.ask(TOKENS + path.replace('{id}', id), { method, token: made[kind], json });
    expect([refused.status, refused.body.code]).toEqual([403, 'issuance_forbidden']);
    expect(await tokenOf(made, id)).toEqual(before);
    expect((await made.postern.tokens.list({ search: 'x' })).items.filter(({ name }) => name === 'x')).toEqual([]);
  });

  test('can not approve a login, nor rename, revoke or delete a token', async () => {
    const made = await signedWorld();
    const { code } = (await made.ask('/api/v1/auth/code')).body;
    const approval = { method: 'POST', token: made[kind], json: WIDER };
    expect((await made.ask(`/api/v1/auth/requests/${code}/approve`, approval)).body.code).toBe('issuance_forbidden');
    const shared = `${TOKENS}/${made.tokens.shared?.id}`;
    const named = await made.ask(shared, { method: 'PATCH', token: made[kind], json: { name: 'renamed' } });
    expect([named.status, named.body.code]).toEqual([403, 'issuance_forbidden']);
    expect((await made.ask(`${shared}/revoke`, { method: 'POST', token: made[kind], json: {} })).status).toBe(403);
    expect((await made.ask(shared, { method: 'DELETE', token: made[kind] })).status).toBe(403);
  });

  test('can not open a session, by sign-in or as a cookie', async () => {
    const made = await signedWorld();
    const headers = { 'sec-fetch-site': 'same-origin' };
    const signIn = await made.ask('/api/v1/session', { method: 'POST', json: { token: made[kind] }, headers });
    expect([signIn.status, signIn.body.code, signIn.headers.getSetCookie()]).toEqual([403, 'issuance_forbidden', []]);
    const cookie = `__Host-postern=${made[kind]}`;
    expect((await made.ask('/api/v1/session', { headers: { ...headers, cookie } })).status).toBe(401);
  });
});

describe('a token with limits', () => {
  async function limited() {
    const made = await world({ postern: { rateLimiter: memoryRateLimiter() } });
    const rateLimit = { points: 50, duration: '1h' } as const;
    const types = { developer: { scopes: ['*'] } } as const;
    const own = await made.postern.tokens.create({ name: 'own', owner: 'bob', types, rateLimit });
    return { ...made, own };
  }

  test.each(GRANTS)('can not get %s', async (_, method, path, json) => {
    const made = await limited();
    const id = made.tokens.shared?.id as string;
    const before = await tokenOf(made, id);
    const refused = await made.ask(TOKENS + path.replace('{id}', id), { method, token: made.own.token, json });
    expect([refused.status, refused.body.code]).toEqual([403, 'limits_forbidden']);
    expect(await tokenOf(made, id)).toEqual(before);
  });

  test('can rotate itself, and keeps its limits', async () => {
    const made = await limited();
    const path = `${TOKENS}/${made.own.record.id}/rotate`;
    const rotated = await made.ask(path, { method: 'POST', token: made.own.token, json: {} });
    expect(rotated.status).toBe(200);
    const next = await made.ask('/api/v1/auth/current', { token: rotated.body.token });
    expect(next.headers.get('ratelimit-policy')).toContain('50');
  });
});

test("unknown fields of a body and grants beyond the caller's own are refused", async () => {
  const made = await world();
  const writer = 'writer';
  for (const [json, status] of [
    [{ name: 'x', scopes: ['models:read'], types: { developer: { scopes: ['*'] } } }, 400],
    [{ name: 'x', types: { developer: { scopes: ['iam:write', '*'] } } }, 403],
    [{ name: 'x', types: { developer: { scopes: ['models:*'] } } }, 403],
    [{ name: 'x', types: { user: { endpoints: '*' } } }, 403],
    [{ name: 'x', types: { user: { scopes: ['models:read'] } } }, 400],
    [{ name: 'x', scopes: ['models:read'], owner: 'boss' }, 400],
    [{ name: 'x', scopes: ['models:read'], organization: 'other' }, 400],
    [{ name: 'x', scopes: ['models:read'], metadata: { admin: true } }, 400],
    [{ name: 'x', scopes: ['models:read'], rateLimit: null }, 400],
    [{ name: 'x', scopes: ['models:read'], labels: [{ key: 'a', value: 'b', admin: true }] }, 400],
    [{ name: 'x', scopes: ['models:read'], labels: { admin: true } }, 400],
  ] as const) {
    const refused = await made.ask(TOKENS, { method: 'POST', token: writer, json });
    expect([JSON.stringify(json), refused.status]).toEqual([JSON.stringify(json), status]);
  }
  expect((await made.postern.tokens.list({ search: 'x' })).items.some(({ name }) => name === 'x')).toBe(false);
  const labels = [
    { key: '__proto__', value: 'x' },
    { key: 'constructor', value: 'y' },
  ];
  const kept = await made.ask(TOKENS, {
    method: 'POST',
    token: writer,
    json: { name: 'x', scopes: ['models:read'], labels },
  });
  expect([kept.status, kept.body.labels]).toEqual([200, labels]);
  expect((await tokenOf(made, kept.body.uid))?.metadata).toEqual({ labels });
});
