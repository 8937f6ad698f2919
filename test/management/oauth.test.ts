import { createLocalJWKSet, jwtVerify } from 'jose';
import { memoryRateLimiter } from 'postern';
import { accessTokens, derive, dpopProof, generateKeys } from 'postern/jwt';
import { managementApi } from 'postern/management';
import { describe, expect, test } from 'vitest';
import { type World, world } from './world.js';

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const AUDIENCE = 'https://api.acme.dev';

const post = ({ ask }: World, path: string, form: Record<string, string>, who: object = { token: 'admin' }) =>
  ask(path, { method: 'POST', form, ...who });

/** The token of that name in the world, or the text itself. */
const tokenOf = ({ tokens }: World, name: string) => tokens[name]?.token ?? name;

/** The token `user` may be used once in 30 days. */
async function limitedWorld() {
  const made = await world({ postern: { rateLimiter: memoryRateLimiter() } });
  await made.postern.tokens.update(made.tokens.user?.id as string, { quota: { points: 1, refill: '30d' } });
  return made;
}

describe('introspection (RFC 7662)', () => {
  const introspect = (made: World, name: string, who?: object) =>
    post(made, '/oauth/introspect', { token: tokenOf(made, name) }, who);

  test('tells the grants, owner and end of an active token', async () => {
    const made = await world();
    expect((await introspect(made, 'everywhere', { token: 'reader' })).body).toEqual({
      active: true,
      scope: 'models:read',
      client_id: made.tokens.everywhere?.id,
      username: 'bob',
      token_type: 'Bearer',
      sub: 'bob',
      organization: 'acme',
      owner: 'bob',
      endpoints: '*',
    });
    const expiresAt = new Date(made.clock.now() + 10_500);
    await made.postern.tokens.update(made.tokens.user?.id as string, { expiresAt });
    expect((await introspect(made, 'user')).body).toMatchObject({
      exp: Math.floor(expiresAt.getTime() / 1000),
      endpoints: ['a'],
    });
    expect((await introspect(made, 'user', { person: 'boss' })).body.active).toBe(true);
  });

  test('tells only "inactive" of anything else', async () => {
    const made = await world();
    await made.postern.tokens.revoke(made.tokens.shared?.id as string);
    await made.postern.tokens.update(made.tokens.user?.id as string, { expiresAt: new Date(made.clock.now() + 1) });
    made.clock.advance(1);
    for (const name of ['shared', 'user', 'other-admin', 'other-user', 'nonsense', '', ' ', 'a b', 'ä']) {
      const answer = await introspect(made, name);
      expect([answer.status, answer.text, name]).toEqual([200, '{"active":false}', name]);
    }
  });

  test('follows a derived token and its parent', async () => {
    const made = await world();
    const narrow = await derive(tokenOf(made, 'everywhere'), { endpoints: ['a'], clock: made.clock.now });
    expect((await introspect(made, narrow)).body).toMatchObject({
      active: true,
      client_id: made.tokens.everywhere?.id,
      scope: '',
      endpoints: ['a'],
    });
    await made.postern.tokens.revoke(made.tokens.everywhere?.id as string);
    expect((await introspect(made, narrow)).body).toEqual({ active: false });
  });

  test('needs iam:read, and a form', async () => {
    const made = await world();
    for (const who of [{ token: 'modeller' }, { token: 'user' }, { person: 'ada' }]) {
      expect((await introspect(made, 'user', who)).status).toBe(403);
    }
    expect((await introspect(made, 'user', {})).status).toBe(401);
    const missing = await post(made, '/oauth/introspect', {});
    expect([missing.status, missing.body.error]).toEqual([400, 'invalid_request']);
    const json = await made.ask('/oauth/introspect', { method: 'POST', token: 'admin', json: { token: 'x' } });
    expect(json.status).toBe(415);
  });

  test('tells the limits of a token, and that it is not active while one is used up', async () => {
    const made = await limitedWorld();
    const quota = { policy: 'quota', points: 1, duration: '30d' };
    expect((await introspect(made, 'user')).body).toMatchObject({
      active: true,
      limits: [{ ...quota, remaining: 1, resets_at: null }],
    });
    const resets_at = new Date(made.clock.now() + 30 * 86_400_000).toISOString();
    await made.postern.authorize({ token: tokenOf(made, 'user'), requirement: { endpoint: 'a' } });
    expect((await introspect(made, 'user')).body).toEqual({
      active: false,
      limits: [{ ...quota, remaining: 0, resets_at }],
    });
  });

  test('answers 503 in an outage, not "inactive"', async () => {
    const made = await world();
    await introspect(made, 'nonsense');
    made.store.fail('findTokenByDigest', 'reject');
    expect((await introspect(made, 'user')).status).toBe(503);
  });
});

describe('revocation (RFC 7009)', () => {
  const revoke = (made: World, name: string, who?: object) =>
    post(made, '/oauth/revoke', { token: tokenOf(made, name) }, who);
  const alive = async (made: World, name: string) => (await made.postern.authenticate(tokenOf(made, name))).ok;

  test('of a token is allowed to its holder, and of any with iam:write', async () => {
    const made = await world();
    expect([(await revoke(made, 'modeller', { token: 'modeller' })).status, await alive(made, 'modeller')]).toEqual([
      200,
      false,
    ]);
    expect([(await revoke(made, 'user', { person: 'ada' })).status, await alive(made, 'user')]).toEqual([200, false]);
    expect([(await revoke(made, 'shared', { token: 'writer' })).status, await alive(made, 'shared')]).toEqual([
      200,
      false,
    ]);
    expect((await revoke(made, 'shared', { token: 'writer' })).status).toBe(200);
  });

  test('ends a token with a limit that is used up, too', async () => {
    const made = await limitedWorld();
    await made.postern.authorize({ token: tokenOf(made, 'user'), requirement: { endpoint: 'a' } });
    expect([(await revoke(made, 'user')).status, await alive(made, 'user')]).toEqual([200, false]);
  });

  test.each([
    ["someone else's token", 'everywhere', { token: 'reader' }, 403],
    ["someone else's token as a person", 'everywhere', { person: 'ada' }, 403],
    ["the organization's token as a person", 'shared', { person: 'ada' }, 403],
    ["another organization's token", 'other-admin', { token: 'admin' }, 200],
    ["another organization's token without the right to revoke", 'other-admin', { token: 'reader' }, 200],
  ])('of %s is refused or does nothing', async (_, name, who, status) => {
    const made = await world();
    expect((await revoke(made, name, who)).status).toBe(status);
    expect(await alive(made, name)).toBe(true);
  });

  test('of an unknown token succeeds, and of a signed token is an error', async () => {
    const made = await world();
    expect([(await revoke(made, 'nonsense')).status, (await revoke(made, 'nonsense')).text]).toEqual([200, '{}']);
    const narrow = await derive(tokenOf(made, 'everywhere'), { clock: made.clock.now });
    const refused = await revoke(made, narrow);
    expect([refused.status, refused.body.error]).toEqual([400, 'unsupported_token_type']);
    expect(await alive(made, 'everywhere')).toBe(true);
  });
});

async function exchanging() {
  const signed = accessTokens({ issuer: 'https://auth.acme.dev', audience: AUDIENCE, keys: await generateKeys() });
  const made = await world({ postern: { authenticators: [signed] }, options: { accessTokens: signed } });
  const exchange = (more: Record<string, string>, name = 'everywhere') =>
    made.ask('/oauth/token', {
      method: 'POST',
      form: { grant_type: GRANT, subject_token: tokenOf(made, name), subject_token_type: ACCESS_TOKEN, ...more },
    });
  return { ...made, exchange };
}

describe('token exchange (RFC 8693)', () => {
  test("gives an access token that the published keys verify, with its subject's grants at most", async () => {
    const made = await exchanging();
    const { status, body, headers } = await made.exchange({ scope: 'models:read', audience: AUDIENCE });
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: ACCESS_TOKEN,
      token_type: 'Bearer',
      expires_in: 600,
      scope: 'models:read',
    });
    const jwks = await made.ask('/.well-known/jwks.json');
    expect([jwks.status, jwks.headers.get('cache-control')]).toEqual([
      200,
      expect.stringMatching(/^public, max-age=\d+$/),
    ]);
    const { payload } = await jwtVerify(body.access_token, createLocalJWKSet(jwks.body), {
      audience: AUDIENCE,
      currentDate: new Date(made.clock.now()),
    });
    expect(payload).toMatchObject({ sub: 'bob', client_id: made.tokens.everywhere?.id, scope: 'models:read' });
    expect(await made.postern.authenticate(body.access_token)).toMatchObject({ ok: true });
    // The access token can manage only by its grants, and makes no tokens.
    expect((await made.ask('/api/v1/auth/current', { token: body.access_token })).body.name).toBe('bob');
  });

  test('takes endpoints in authorization_details (RFC 9396)', async () => {
    const made = await exchanging();
    const details = JSON.stringify([{ type: 'endpoint_access', identifier: 'a' }]);
    const { body } = await made.exchange({ authorization_details: details, resource: AUDIENCE });
    const reaches = async (endpoint: string) =>
      (await made.postern.authorize({ token: body.access_token, requirement: { endpoint } })).allowed;
    expect([await reaches('a'), await reaches('b'), body.scope]).toEqual([true, false, '']);
  });

  test.each([
    [{ grant_type: 'client_credentials' }, 'unsupported_grant_type'],
    [{ subject_token_type: 'urn:x' }, 'invalid_request'],
    [{ subject_token: 'nonsense' }, 'invalid_request'],
    [{ subject_token: '' }, 'invalid_request'],
    [{ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }, 'invalid_request'],
    [{ actor_token: 'x' }, 'invalid_request'],
    [{ scope: 'models:write' }, 'invalid_scope'],
    [{ scope: 'models:paint' }, 'invalid_scope'],
    [{ resource: 'https://evil.dev' }, 'invalid_target'],
    [{ audience: 'https://evil.dev' }, 'invalid_target'],
    [{ authorization_details: '{' }, 'invalid_authorization_details'],
    [{ authorization_details: '[{"type":"x"}]' }, 'invalid_authorization_details'],
    [{ authorization_details: '[{"type":"endpoint_access","identifier":"zz"}]' }, 'invalid_authorization_details'],
  ])('refuses %j', async (more, error) => {
    const made = await exchanging();
    const { status, body, headers } = await made.exchange(more as Record<string, string>);
    expect([status, body.error, headers.get('content-type')]).toEqual([400, error, 'application/json']);
    expect(Object.keys(body)).toEqual(['error', 'error_description']);
    expect(body.error_description).toMatch(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/);
  });

  test('refuses ended tokens and access tokens', async () => {
    const made = await exchanging();
    const { body } = await made.exchange({});
    expect((await made.exchange({}, body.access_token)).body.error).toBe('invalid_request');
    await made.postern.tokens.revoke(made.tokens.everywhere?.id as string);
    expect((await made.exchange({})).body.error).toBe('invalid_request');
  });

  test('answers 503 if the store is down, and refuses a repeated field', async () => {
    const made = await exchanging();
    made.store.fail('findTokenByDigest', 'reject');
    expect((await made.exchange({})).status).toBe(503);
    const twice = await made.ask('/oauth/token', {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `grant_type=${GRANT}&grant_type=${GRANT}`,
    });
    expect([twice.status, twice.body.error]).toEqual([400, 'invalid_request']);
  });

  test("binds the token to the key of the request's proof, and to no other (RFC 9449 section 5)", async () => {
    const made = await exchanging();
    const [key] = await generateKeys({ alg: 'ES256' });
    const clock = made.clock.now;
    const proof = (url: string, method = 'POST') => dpopProof({ method, url, key: { ...key }, clock });
    const form = { grant_type: GRANT, subject_token: tokenOf(made, 'everywhere'), subject_token_type: ACCESS_TOKEN };
    const ask = (dpop: string) => made.ask('/oauth/token', { method: 'POST', form, headers: { dpop } });

    const good = await proof(`https://acme.dev/oauth/token`);
    const { status, body } = await ask(good);
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
    const { cnf } = JSON.parse(Buffer.from(body.access_token.split('.')[1], 'base64url').toString());
    expect(cnf).toEqual({ jkt: key?.kid });

    for (const bad of [
      good,
      await proof(`https://acme.dev/oauth/revoke`),
      await proof(`https://acme.dev/oauth/token`, 'GET'),
      'nonsense',
      `${good}, ${good}`,
    ]) {
      const refused = await ask(bad);
      expect([refused.status, refused.body.error]).toEqual([400, 'invalid_dpop_proof']);
    }
  });

  test('is not found without accessTokens', async () => {
    const { ask } = await world();
    expect((await ask('/oauth/token', { method: 'POST', form: { grant_type: GRANT } })).status).toBe(404);
    expect((await ask('/.well-known/jwks.json')).status).toBe(404);
  });

  test('accepts any object with exchange and keys', async () => {
    const { postern } = await world();
    const api = managementApi(postern, {
      accessTokens: {
        audience: 'https://api.acme.dev',
        exchange: async () => ({ accessToken: 'a.b.c', expiresAt: new Date() }),
        jwks: async () => ({ keys: [] }),
      },
    });
    const answer = await api(new Request('https://acme.dev/.well-known/jwks.json'));
    expect([answer.headers.get('cache-control'), await answer.json()]).toEqual(['public, max-age=300', { keys: [] }]);
  });
});
