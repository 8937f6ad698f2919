import { createHash } from 'node:crypto';
import { memoryRateLimiter } from 'postern/limits';
import { managementApi } from 'postern/management';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/domain/version.js';
import { answerOf, init, listening, type World, world } from './world.js';

const SESSION = '/api/v1/session';
const HOUR = 3_600_000;
const SAME = { 'sec-fetch-site': 'same-origin' };
const options = { session: true, identify: undefined };

async function signIn({ ask, tokens }: World, name: string, headers: Record<string, string> = SAME) {
  const answer = await ask(SESSION, { method: 'POST', headers, json: { token: tokens[name]?.token ?? name } });
  const cookie = answer.headers.getSetCookie()[0] ?? '';
  return { ...answer, cookie, sent: cookie.split(';', 1)[0] as string };
}

describe('a session of the console', () => {
  test('begins in a cookie that scripts and other sites do not get', async () => {
    const made = await world({ options });
    const { status, body, cookie, text } = await signIn(made, 'admin');
    expect(status).toBe(200);
    expect(cookie).toMatch(/^__Host-postern=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict; Secure$/);
    expect(text).not.toContain(made.tokens.admin?.token);
    expect(body).toMatchObject({ owner: 'admin', sign_out: true, can: { manageTokens: true } });
  });

  test('on http has another cookie name, on a real socket', async () => {
    const made = await world({ options });
    const url = await listening(made.api);
    const asked = { method: 'POST', headers: SAME, json: { token: made.tokens.admin?.token } };
    const [set = ''] = (await fetch(url + SESSION, init(asked))).headers.getSetCookie();
    expect(set).toMatch(/^postern_session=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    const cookie = `other=1; ${set.split(';', 1)[0]}`;
    const current = await answerOf(await fetch(url + SESSION, { headers: { cookie } }));
    expect([current.status, current.body.user.name]).toEqual([200, 'admin']);
  });

  test('behind a proxy that ends TLS has a secure cookie', async () => {
    const made = await world({ options: { ...options, origin: 'https://public.dev' } });
    const request = new Request(
      `http://10.0.0.1${SESSION}`,
      init({ method: 'POST', headers: SAME, json: { token: made.tokens.admin?.token } }),
    );
    expect((await made.api(request)).headers.getSetCookie()[0]).toMatch(/^__Host-postern=.*; Secure$/);
  });

  test.each([
    ['nonsense', 401],
    ['', 401],
    ['user', 403],
  ])('is refused with the token %j (%i), without a cookie', async (name, status) => {
    const made = await world({ options });
    const refused = await signIn(made, name);
    expect([refused.status, refused.cookie]).toEqual([status, '']);
  });

  test('is refused to pages of other sites, so nobody is signed in as someone else', async () => {
    const made = await world({ options });
    for (const headers of [{}, { 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.dev' }]) {
      const refused = await signIn(made, 'admin', headers as Record<string, string>);
      expect([refused.status, refused.cookie]).toEqual([403, '']);
    }
  });

  test('is not found unless it is switched on, and the page is told', async () => {
    const off = await world({ options: { identify: undefined } });
    expect((await signIn(off, 'admin')).status).toBe(405);
    const headers = { cookie: `__Host-postern=${'a'.repeat(43)}` };
    expect((await off.ask(SESSION, { headers })).body.code).toBe('token_missing');
    expect((await off.ask(SESSION)).body.sign_in).toBe(false);
    expect((await (await world({ options })).ask(SESSION)).body.sign_in).toBe(true);
  });

  test('can make changes only from a page of this server', async () => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'admin');
    const path = `/api/v1/api_tokens/${made.tokens.shared?.id}`;
    expect((await made.ask(path, { method: 'DELETE', headers: { cookie } })).status).toBe(403);
    expect(
      (await made.ask(path, { method: 'DELETE', headers: { cookie, 'sec-fetch-site': 'same-site' } })).status,
    ).toBe(403);
    expect((await made.ask(path, { method: 'DELETE', headers: { cookie, ...SAME } })).status).toBe(200);
  });

  test('ends with its token, and the cookie is deleted', async () => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'reader');
    expect((await made.ask(SESSION, { headers: { cookie } })).status).toBe(200);
    await made.postern.tokens.revoke(made.tokens.reader?.id as string);
    const over = await made.ask(SESSION, { headers: { cookie } });
    expect([over.status, over.body.code, over.body.sign_in]).toEqual([401, 'token_revoked', true]);
    expect(over.headers.getSetCookie()).toEqual([
      '__Host-postern=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict; Secure',
    ]);
  });

  test('does not end in an outage', async () => {
    const made = await world({ options, postern: { cache: false } });
    const { sent: cookie } = await signIn(made, 'reader');
    made.store.fail('findTokenByDigest', 'reject');
    const down = await made.ask(SESSION, { headers: { cookie } });
    expect([down.status, down.headers.getSetCookie()]).toEqual([503, []]);
  });

  test('ends by signing out', async () => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'reader');
    expect((await made.ask(SESSION, { method: 'DELETE', headers: { cookie } })).status).toBe(403);
    const out = await made.ask(SESSION, { method: 'DELETE', headers: { cookie, ...SAME } });
    expect([out.status, out.headers.getSetCookie()[0]]).toEqual([
      200,
      expect.stringMatching(/^__Host-postern=; Max-Age=0;/),
    ]);
    expect((await made.postern.authenticate(made.tokens.reader?.token)).ok).toBe(true);
    // A kept cookie is useless.
    const after = await made.ask(SESSION, { headers: { cookie } });
    expect([after.status, after.body.code, after.body.sign_in]).toEqual([401, 'session_over', true]);
    expect(after.headers.getSetCookie()[0]).toMatch(/^__Host-postern=; Max-Age=0;/);
  });

  test('lasts for eight hours, in every process with the same store', async () => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'reader');
    const { postern: other } = createTestPostern({ store: made.store, organization: 'acme', clock: made.clock });
    const api = managementApi(other, { session: true });
    const status = async () => (await api(new Request(`https://acme.dev${SESSION}`, { headers: { cookie } }))).status;
    made.clock.advance(8 * HOUR - 1);
    expect(await status()).toBe(200);
    made.clock.advance(1);
    expect(await status()).toBe(401);
    made.clock.advance(-HOUR);
    expect(await status()).toBe(401);
  });

  test.each<[string, (made: World, id: string) => Promise<unknown>, string]>([
    ['revoked', ({ postern }, id) => postern.tokens.revoke(id), 'token_revoked'],
    ['deleted', ({ postern }, id) => postern.tokens.delete(id), 'token_unknown'],
    [
      'expired',
      async ({ postern, clock }, id) => {
        await postern.tokens.update(id, { expiresAt: new Date(clock.now() + 1) });
        clock.advance(1);
      },
      'token_expired',
    ],
    ['rotated without a grace', ({ postern }, id) => postern.tokens.rotate(id), 'token_revoked'],
  ])('ends when its token is %s', async (_, end, code) => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'reader');
    await end(made, made.tokens.reader?.id as string);
    const over = await made.ask(SESSION, { headers: { cookie } });
    expect([over.status, over.body.code]).toEqual([401, code]);
  });

  test('goes on during the grace of its secret, and no longer', async () => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'reader');
    await made.postern.tokens.rotate(made.tokens.reader?.id as string, { grace: '1h' });
    const status = async () => (await made.ask(SESSION, { headers: { cookie } })).status;
    made.clock.advance(HOUR - 1);
    expect(await status()).toBe(200);
    made.clock.advance(1);
    expect(await status()).toBe(401);
  });

  test("has its token's current rights, and counts for its limits", async () => {
    const made = await world({ options, postern: { rateLimiter: memoryRateLimiter() } });
    const { sent: cookie } = await signIn(made, 'writer');
    const id = made.tokens.writer?.id as string;
    const ask = () => made.ask(SESSION, { headers: { cookie } });
    expect((await ask()).body.can.manageTokens).toBe(true);
    await made.postern.tokens.update(id, { types: { developer: { scopes: ['iam:read'] } } });
    expect((await ask()).body.can).toMatchObject({ manageTokens: false, listTokens: true });
    await made.postern.tokens.update(id, { rateLimit: { points: 2, duration: '1m' } });
    const statuses: number[] = [];
    for (let i = 0; i < 3; i++) statuses.push((await ask()).status);
    expect(statuses).toEqual([200, 200, 429]);
  });

  test('works for an imported token, and under a pepper', async () => {
    const secret = 'a'.repeat(20) + 'B'.repeat(20);
    const peppers = [{ id: 'p1', key: 'k'.repeat(64) }];
    const made = await world({
      options,
      postern: {
        pepper: peppers,
        importedTokens: [{ pattern: /^(\d+)\|([A-Za-z0-9]{40})$/, secret: (match) => match[2] }],
      },
    });
    const digest = createHash('sha256').update(secret).digest('hex');
    const types = { developer: { scopes: ['iam:read'] } } as const;
    await made.postern.tokens.import({ digest, name: 'old', owner: 'ada', types } as never);
    const { sent: cookie, status } = await signIn(made, `17|${secret}`);
    expect(status).toBe(200);
    expect((await made.ask(SESSION, { headers: { cookie } })).body.owner).toBe('ada');
    // Without the pepper the session is unknown.
    const { postern: without } = createTestPostern({ store: made.store, organization: 'acme', clock: made.clock });
    const api = managementApi(without, { session: true });
    expect((await api(new Request(`https://acme.dev${SESSION}`, { headers: { cookie } }))).status).toBe(401);
  });

  test('has no more rights than its token has in a header', async () => {
    const made = await world({ options });
    const { sent: cookie } = await signIn(made, 'modeller');
    const ask = (method: string, path: string, json?: unknown) =>
      made.ask(path, { method, headers: { cookie, ...SAME }, ...(json !== undefined && { json }) });
    const types = { developer: { scopes: ['models:read'] } };
    expect((await ask('POST', '/api/v1/api_tokens', { name: 'x', types })).status).toBe(403);
    expect((await ask('POST', `/api/v1/api_tokens/${made.tokens.modeller?.id}/rotate`, {})).status).toBe(403);
    expect((await ask('GET', '/api/v1/api_tokens')).status).toBe(403);
    expect((await ask('GET', SESSION)).body.can).toMatchObject({ manageTokens: false, manageOwn: false });
  });

  test.each([
    ['with two cookies', (id: string) => `__Host-postern=${id}; __Host-postern=${id}`, 400],
    ['with a cookie that is not a text', () => '__Host-postern=%ff', 401],
    ['with an empty cookie', () => '__Host-postern=', 401],
    ['with a cookie of another name', (id: string) => `postern_session=${id}`, 401],
    ['with more after the cookie', (id: string) => `__Host-postern=${id}A`, 401],
    ['with a quoted cookie', (id: string) => `__Host-postern="${id}"`, 401],
  ])('%s is refused', async (_, cookie, status) => {
    const made = await world({ options });
    const headers = { cookie: cookie((await signIn(made, 'admin')).sent.split('=')[1] as string) };
    expect((await made.ask(SESSION, { headers })).status).toBe(status);
  });
});

describe('the first request of the console', () => {
  test('of a token is answered with its rights, and with the words of its types', async () => {
    const { ask, tokens } = await world();
    const { body } = await ask(SESSION, { token: 'everywhere' });
    expect(body).toEqual({
      user: { name: 'bob', email: '', first_name: '', last_name: '' },
      organization: expect.objectContaining({ name: 'acme' }),
      owner: 'bob',
      token_id: tokens.everywhere?.id,
      grants: { scopes: ['models:read'], endpoints: '*' },
      types: [
        {
          name: 'user',
          form: 'endpoint_access',
          label: 'Protected Endpoint Access',
          description: 'Calls Deployments whose endpoint is protected.',
          noun: 'Deployments',
        },
        {
          name: 'developer',
          form: 'scope_access',
          label: 'Developer Operations Access',
          description: 'Manages resources through the API.',
          words: {},
          resources: Object.fromEntries(
            ['cluster', 'iam', 'models', 'bentos', 'deployments'].map((name) => [name, { read: [], write: ['read'] }]),
          ),
        },
      ],
      can: {
        listTokens: false,
        manageTokens: false,
        manageOwn: false,
        readEndpoints: false,
        manageEndpoints: false,
        readAudit: false,
      },
      limits: false,
      version: VERSION,
      sign_out: false,
    });
  });

  test('of a person is answered with their rights', async () => {
    const { ask } = await world();
    expect((await ask(SESSION, { person: 'ada' })).body).toMatchObject({
      owner: 'ada',
      token_id: null,
      grants: { scopes: ['models:read'], endpoints: ['a'] },
      can: { manageTokens: false, manageOwn: true },
      version: VERSION,
      sign_out: false,
    });
    expect((await ask(SESSION, { person: 'boss' })).body).toMatchObject({
      user: { name: 'The Boss' },
      grants: { endpoints: '*' },
      can: { listTokens: true, manageTokens: true, readEndpoints: true, manageEndpoints: true, readAudit: true },
    });
    expect((await ask(SESSION, { person: 'bob' })).body.grants).toEqual({ scopes: [], endpoints: [] });
  });
});
