import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { accessTokens, generateKeys } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { START, thrown, verdict } from '../support/outcomes.js';
import { API, AUTH, claimsIn, ENCRYPTION_KEY, issueBoth, issuerWorld, KEPT, serveJwks } from './support/access.js';

/** The principal without its end. */
async function whoIs({ postern }: Pick<ReturnType<typeof issuerWorld>, 'postern'>, token: string) {
  const answer = await postern.authenticate(token);
  if (!answer.ok) throw new Error(answer.reason);
  const { endsAt: _, ...principal } = answer.principal;
  return principal;
}

describe('an access token', () => {
  it('has the claims of RFC 9068, and its endpoints in authorization_details (RFC 9396)', async () => {
    const world = issuerWorld();
    const { token, record } = await issueBoth(world);
    const { accessToken, ...rest } = await world.signed.exchange(world.postern, token);
    expect(rest).toEqual({
      expiresAt: new Date(START + 600_000),
      tokenType: 'Bearer',
      scope: 'iam:read models:read models:write',
    });
    const [key] = (await world.signed.jwks()).keys;
    expect(decodeProtectedHeader(accessToken)).toEqual({ alg: 'EdDSA', typ: 'at+jwt', kid: key?.kid });
    expect(claimsIn(accessToken)).toEqual({
      iss: AUTH,
      secret_kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      sub: 'zoe',
      aud: API,
      client_id: record.id,
      jti: expect.stringMatching(/^[A-Za-z0-9]{22}$/),
      iat: START / 1000,
      exp: START / 1000 + 600,
      scope: 'iam:read models:read models:write',
      authorization_details: [
        { type: 'scope_access', token_type: 'developer', scopes: ['models:write', 'iam:read'] },
        { type: 'endpoint_access', token_type: 'user', identifier: 'summarizer', uid: expect.any(String) },
      ],
      organization: 'default',
      owner: 'zoe',
      ownership: 'personal',
    });
    const { accessToken: second } = await world.signed.exchange(world.postern, token);
    expect(claimsIn(second).jti).not.toBe(claimsIn(accessToken).jti);
  });

  it("of a token without an owner has the token's id as sub", async () => {
    const world = issuerWorld();
    const { token, record } = await issueBoth(world, {
      owner: null,
      ownership: 'organization',
      types: { user: { endpoints: '*' } },
    });
    const { accessToken, scope } = await world.signed.exchange(world.postern, token);
    const claims = claimsIn(accessToken);
    expect(claims).toMatchObject({ sub: record.id, owner: null, ownership: 'organization' });
    expect(claims.authorization_details).toEqual([{ type: 'endpoint_access', token_type: 'user', identifier: '*' }]);
    expect([claims.scope, scope]).toEqual([undefined, '']);
    expect(await whoIs(world, accessToken)).toEqual(await whoIs(world, token));
  });

  it('is verified by another library, with the keys of a real socket', async () => {
    const world = issuerWorld({ algorithm: 'ES256' });
    const { token } = await issueBoth(world);
    const { accessToken } = await world.signed.exchange(world.postern, token);
    const { url } = await serveJwks(world.signed);
    const { payload } = await jwtVerify(accessToken, createRemoteJWKSet(new URL(url)), {
      issuer: AUTH,
      audience: API,
      typ: 'at+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(START),
    });
    expect(payload.client_id).toBe((await world.postern.tokens.list()).items[0]?.id);
  });

  it('has the principal and the decisions of its API token', async () => {
    const world = issuerWorld();
    const { token } = await issueBoth(world);
    await world.postern.endpoints.create({ id: 'other', access: 'protected' });
    const { accessToken } = await world.signed.exchange(world.postern, token);
    expect(await whoIs(world, accessToken)).toEqual(await whoIs(world, token));
    for (const requirement of [
      { scope: 'models:read' },
      { scope: 'models:write' },
      { scope: 'cluster:read' },
      { scope: 'models:read', organization: 'another' },
      { endpoint: 'summarizer' },
      { endpoint: 'other' },
      { endpoint: 'missing' },
      { authenticated: true },
    ] as const) {
      const decision = await world.postern.authorize({ token: accessToken, requirement });
      const same = await world.postern.authorize({ token, requirement });
      expect(verdict(decision), JSON.stringify(requirement)).toBe(verdict(same));
    }
  });

  it('is answered without a promise once it is cached', async () => {
    const world = issuerWorld({ keys: await generateKeys() });
    const { token } = await issueBoth(world);
    const { accessToken } = await world.signed.exchange(world.postern, token);
    const attempt = { token: accessToken, requirement: { scope: 'models:read' } } as const;
    expect(world.postern.tryAuthorize(attempt)).toBeNull();
    await world.postern.authorize(attempt);
    expect(world.postern.tryAuthorize(attempt)).toMatchObject({ allowed: true });
  });

  it('ends to the millisecond, cached or not', async () => {
    const keys = await generateKeys();
    const { postern, signed, store, clock } = issuerWorld({ keys, expiresIn: '1m' });
    const { token } = await issueBoth({ postern });
    const { accessToken } = await signed.exchange(postern, token);
    const cold = issuerWorld({ keys }, { store, clock });
    clock.advance(59_999);
    expect(await postern.authenticate(accessToken)).toMatchObject({ ok: true });
    clock.advance(1);
    const expired = { ok: false, reason: 'token_expired' };
    expect(await postern.authenticate(accessToken)).toEqual(expired);
    expect(await cold.postern.authenticate(accessToken)).toEqual(expired);
  });

  it('is unknown to another issuer of the same instance', async () => {
    const clock = issuerWorld().clock;
    const mine = accessTokens({ issuer: AUTH, audience: API, keys: await generateKeys() });
    const theirs = accessTokens({ issuer: 'https://other.example', audience: API, keys: await generateKeys() });
    const { postern } = createTestPostern({ clock, authenticators: [mine, theirs] });
    const { token } = await issueBoth({ postern });
    for (const signed of [mine, theirs]) {
      const { accessToken } = await signed.exchange(postern, token);
      expect(await postern.authenticate(accessToken)).toMatchObject({ ok: true });
    }
  });
});

describe('an access token after a change of its API token', () => {
  const requirement = { scope: 'models:read' } as const;

  async function exchanged() {
    const world = issuerWorld();
    const issued = await issueBoth(world);
    const { accessToken } = await world.signed.exchange(world.postern, issued.token);
    const ask = async (needed: object = requirement) =>
      verdict(await world.postern.authorize({ token: accessToken, requirement: needed as typeof requirement }));
    expect([await ask(), await ask({ endpoint: 'summarizer' })]).toEqual(['allowed', 'allowed']);
    return { ...world, ...issued, accessToken, ask };
  }

  it('is revoked if that is revoked', async () => {
    const { postern, record, ask } = await exchanged();
    await postern.tokens.revoke(record.id);
    expect(await ask()).toBe('token_revoked');
  });

  it('is revoked if that is deleted', async () => {
    const { postern, record, ask } = await exchanged();
    await postern.tokens.delete(record.id);
    expect(await ask()).toBe('token_revoked');
  });

  it('expires if that gets an earlier expiry', async () => {
    const { postern, record, clock, ask } = await exchanged();
    await postern.tokens.update(record.id, { expiresAt: new Date(clock.now() + 1000) });
    clock.advance(1000);
    expect(await ask()).toBe('token_expired');
  });

  it('loses grants with it, and never gains any', async () => {
    const { postern, record, ask } = await exchanged();
    await postern.tokens.update(record.id, { types: { developer: { scopes: ['models:read', 'cluster:write'] } } });
    expect([await ask(), await ask({ scope: 'models:write' }), await ask({ scope: 'cluster:read' })]).toEqual([
      'allowed',
      'scope_missing',
      'scope_missing',
    ]);
    expect(await ask({ endpoint: 'summarizer' })).toBe('endpoint_not_granted');
  });

  it('does not reach a new endpoint of a deleted name', async () => {
    const { postern, ask } = await exchanged();
    await postern.endpoints.delete('summarizer');
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    expect(await ask({ endpoint: 'summarizer' })).toBe('endpoint_not_granted');
  });

  it('is revoked at the end of the secret that it was exchanged for', async () => {
    const { postern, clock, record, ask } = await exchanged();
    await postern.tokens.rotate(record.id, { grace: '1m' });
    expect(await ask()).toBe('allowed');
    clock.advance(60_000);
    expect(await ask()).toBe('token_revoked');
  });

  it('is revoked also in another process with the same store', async () => {
    const { postern, store, clock, record, accessToken } = await exchanged();
    const other = issuerWorld({}, { store, clock });
    const attempt = { token: accessToken, requirement };
    expect(verdict(await other.postern.authorize(attempt))).toBe('allowed');
    await postern.tokens.revoke(record.id);
    expect(verdict(await other.postern.authorize(attempt))).toBe('token_revoked');
  });
});

it('an access token can not make tokens, because they would outlive it', async () => {
  const world = issuerWorld();
  const { token } = await issueBoth(world, { types: { developer: { scopes: ['*'] } } });
  const { accessToken } = await world.signed.exchange(world.postern, token);
  const authentication = await world.postern.authenticate(accessToken);
  if (!authentication.ok) throw new Error(authentication.reason);
  const create = () =>
    world.postern
      .as(authentication.principal)
      .tokens.create({ name: 'more', types: { developer: { scopes: ['models:read'] } } });
  await expect(create()).rejects.toMatchObject({ name: 'PosternError' });
  expect((await world.postern.tokens.list()).items).toHaveLength(1);
});

describe('accessTokens', () => {
  it.each<[string, object, string]>([
    ['no issuer', { issuer: undefined }, 'issuer'],
    ['an empty issuer', { issuer: '' }, 'issuer'],
    ['no audience', { audience: undefined }, 'audience'],
    ['an empty audience', { audience: '' }, 'audience'],
    ['a list of audiences', { audience: [API] }, 'audience'],
    ['no encryption key', { encryptionKey: undefined }, 'encryptionKey'],
    ['a short encryption key', { encryptionKey: 'x'.repeat(31) }, 'encryptionKey'],
    ['short bytes as encryption key', { encryptionKey: new Uint8Array(31) }, 'encryptionKey'],
    ['an unknown algorithm', { algorithm: 'HS256' }, 'algorithm'],
    ['an invalid lifetime', { expiresIn: 'soon' }, 'expiresIn'],
    ['a lifetime of less than a second', { expiresIn: '999ms' }, 'expiresIn'],
    ['a lifetime beyond the longest', { expiresIn: '2h' }, 'expiresIn'],
    ['an overlap as long as a key signs', { rotateEvery: '1d', overlap: '1d' }, 'overlap'],
    ['an overlap that is too short', { overlap: '59s' }, 'overlap'],
    ['keys that end sooner than their tokens', { rotateEvery: '1h', overlap: '1m', maxExpiresIn: '2h' }, 'rotateEvery'],
    ['an origin with a path', { dpop: { origins: ['https://api.example/'] } }, 'dpop.origins.0'],
  ])('refuses %s', (_, options, path) => {
    expect(thrown(() => accessTokens({ ...KEPT, ...options } as never))).toMatchObject({
      code: 'option_invalid',
      path,
    });
  });

  it('refuses unknown options, and shows no secret in an error', () => {
    expect(thrown(() => accessTokens({ ...KEPT, algorithms: ['none'] } as never))).toMatchObject({
      code: 'option_unknown',
    });
    const secret = 'only thirty-one characters long';
    const refused = thrown(() => accessTokens({ ...KEPT, encryptionKey: secret }));
    expect([secret.length, refused.message.includes(secret)]).toEqual([31, false]);
  });

  it("refuses options that the application's own keys make useless", async () => {
    const keys = await generateKeys();
    for (const idle of [
      { encryptionKey: ENCRYPTION_KEY },
      { rotateEvery: '30d' },
      { overlap: '1d' },
      { algorithm: 'ES256' },
    ]) {
      const path = Object.keys(idle)[0];
      const refused = thrown(() => accessTokens({ issuer: AUTH, audience: API, keys, ...idle } as never));
      expect(refused).toMatchObject({ code: 'option_invalid', path });
    }
  });

  it('by default lives no longer than the longest lifetime', async () => {
    const world = issuerWorld({ maxExpiresIn: '5m' });
    const { token } = await issueBoth(world);
    expect((await world.signed.exchange(world.postern, token)).expiresAt).toEqual(
      new Date(world.clock.now() + 300_000),
    );
  });
});
