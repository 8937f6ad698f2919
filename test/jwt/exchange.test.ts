import fc from 'fast-check';
import { accessTokens, derive, generateKeys, trustedIssuer } from 'postern/jwt';
import { controlledStore, createTestPostern, testClock } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { refusal, START, verdict } from '../support/outcomes.js';
import { API, AUTH, claimsIn, issueBoth, issuerWorld } from './support/access.js';
import { ISSUER, issuerKey, signed as signedElsewhere } from './support/tokens.js';

async function world(input: object = {}, options: object = {}) {
  const made = issuerWorld(options);
  const { token, record } = await issueBoth(made, input);
  await made.postern.endpoints.create({ id: 'other', access: 'protected' });
  const exchange = (asked: object = {}) => made.signed.exchange(made.postern, token, asked);
  const allows = async (accessToken: string, requirement: object) =>
    verdict(await made.postern.authorize({ token: accessToken, requirement: requirement as { authenticated: true } }));
  return { ...made, token, record, exchange, allows };
}

describe('an exchange', () => {
  it('for scopes gives these and the scopes they include, and no endpoint', async () => {
    const { exchange, allows } = await world();
    const { accessToken, scope } = await exchange({ scopes: ['models:write'] });
    expect(scope).toBe('models:read models:write');
    expect(claimsIn(accessToken).authorization_details).toEqual([
      { type: 'scope_access', token_type: 'developer', scopes: ['models:write'] },
    ]);
    expect(await allows(accessToken, { scope: 'models:read' })).toBe('allowed');
    expect(await allows(accessToken, { scope: 'iam:read' })).toBe('scope_missing');
    expect(await allows(accessToken, { endpoint: 'summarizer' })).toBe('endpoint_not_granted');
  });

  it('for an included scope gives only that scope', async () => {
    const { exchange, allows } = await world();
    const { accessToken, scope } = await exchange({ scopes: ['models:read'] });
    expect(scope).toBe('models:read');
    expect(await allows(accessToken, { scope: 'models:write' })).toBe('scope_missing');
  });

  it('for endpoints gives these, and no scope', async () => {
    const { exchange, allows } = await world();
    const { accessToken, scope } = await exchange({ endpoints: ['summarizer'] });
    expect([scope, claimsIn(accessToken).scope]).toEqual(['', undefined]);
    expect(await allows(accessToken, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await allows(accessToken, { scope: 'models:read' })).toBe('scope_missing');
  });

  it('for both gives both', async () => {
    const { exchange, allows } = await world();
    const { accessToken } = await exchange({ endpoints: ['summarizer'], scopes: ['iam:read'] });
    expect(await allows(accessToken, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await allows(accessToken, { scope: 'iam:read' })).toBe('allowed');
    expect(await allows(accessToken, { scope: 'models:read' })).toBe('scope_missing');
  });

  it.each<[string, object, string, string]>([
    ['a scope that is not held', { scopes: ['models:read', 'cluster:read'] }, 'scope_missing', 'scopes.1'],
    ['more of a resource than is held', { scopes: ['iam:write'] }, 'scope_missing', 'scopes.0'],
    ['a resource wildcard that is not held', { scopes: ['models:*'] }, 'scope_missing', 'scopes.0'],
    ['all scopes', { scopes: ['*'] }, 'scope_missing', 'scopes.0'],
    ['an unknown scope', { scopes: ['model:read'] }, 'scope_unknown', 'scopes.0'],
    ['a scope named like a member of a prototype', { scopes: ['__proto__'] }, 'scope_unknown', 'scopes.0'],
    ['an endpoint that is not held', { endpoints: ['summarizer', 'other'] }, 'endpoint_not_granted', 'endpoints.1'],
    ['an unknown endpoint', { endpoints: ['missing'] }, 'endpoint_not_granted', 'endpoints.0'],
    ['all endpoints', { endpoints: '*' }, 'endpoint_not_granted', 'endpoints'],
    ['an invalid endpoint id', { endpoints: ['../x'] }, 'input_invalid', 'endpoints.0'],
    ['an empty list of scopes', { scopes: [] }, 'input_invalid', 'scopes'],
    ['an empty list of endpoints', { endpoints: [] }, 'input_invalid', 'endpoints'],
    ['a number as scope', { scopes: [7] }, 'input_invalid', 'scopes.0'],
    ['an invalid lifetime', { expiresIn: 'soon' }, 'input_invalid', 'expiresIn'],
    ['a lifetime of less than a second', { expiresIn: '999ms' }, 'input_invalid', 'expiresIn'],
    ['an unknown field', { scope: 'models:read' }, 'option_unknown', 'scope'],
  ])('refuses %s', async (_, asked, code, path) => {
    const { exchange } = await world();
    expect(await refusal(exchange(asked))).toMatchObject({ code, path });
  });

  it("of a token with '*' gives any wildcard", async () => {
    const { exchange, allows } = await world({ types: { developer: { scopes: ['*'] } } });
    const { accessToken } = await exchange({ scopes: ['models:*'] });
    expect(await allows(accessToken, { scope: 'models:write' })).toBe('allowed');
    expect(await allows(accessToken, { scope: 'iam:read' })).toBe('scope_missing');
    expect((await exchange({ scopes: ['*'] })).scope.split(' ')).toHaveLength(10);
  });

  it('of a token without scopes gives no scope', async () => {
    const { exchange } = await world({ types: { user: { endpoints: '*' } } });
    expect(await refusal(exchange({ scopes: ['models:read'] }))).toMatchObject({ code: 'scope_missing' });
  });

  it('with all endpoints binds a named one to the endpoint of that name today', async () => {
    const { exchange, allows, postern } = await world({ types: { user: { endpoints: '*' } } });
    const { accessToken } = await exchange({ endpoints: ['summarizer'] });
    const { accessToken: all } = await exchange({ endpoints: '*' });
    expect(await allows(accessToken, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await allows(accessToken, { endpoint: 'other' })).toBe('endpoint_not_granted');
    await postern.endpoints.delete('summarizer');
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    expect(await allows(accessToken, { endpoint: 'summarizer' })).toBe('endpoint_not_granted');
    expect(await allows(all, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await refusal(exchange({ endpoints: ['missing'] }))).toMatchObject({ code: 'endpoint_not_granted' });
  });

  it('that would make more than 8 KiB is refused, and a smaller one is not', async () => {
    const { postern, signed } = issuerWorld();
    const endpoints = Array.from({ length: 80 }, (_, index) => `endpoint-${index}`);
    for (const id of endpoints) await postern.endpoints.create({ id, access: 'protected' });
    const { token } = await postern.tokens.create({ name: 'many', types: { user: { endpoints } } });
    expect(await refusal(signed.exchange(postern, token))).toMatchObject({ code: 'input_invalid', path: 'endpoints' });
    const { accessToken } = await signed.exchange(postern, token, { endpoints: endpoints.slice(0, 30) });
    expect(await postern.authenticate(accessToken)).toMatchObject({ ok: true });
  });

  it('never allows more than its subject (random grants)', async () => {
    const scopes = ['*', 'models:*', 'iam:*', 'models:read', 'models:write', 'iam:read', 'cluster:write'] as const;
    const some = fc.uniqueArray(fc.constantFrom(...scopes), { minLength: 1, maxLength: 3 });
    const named = fc.uniqueArray(fc.constantFrom('summarizer', 'other'), { minLength: 1 });
    const endpoints = fc.oneof(fc.constant('*' as const), named);
    const { postern, signed, allows } = await world();
    const needed = [
      ...['models:read', 'models:write', 'iam:read', 'iam:write', 'cluster:read'].map((scope) => ({ scope })),
      ...['summarizer', 'other'].map((endpoint) => ({ endpoint })),
    ];
    let given = 0;
    const property = fc.asyncProperty(
      fc.record({ developer: fc.option(some, { nil: undefined }), user: fc.option(endpoints, { nil: undefined }) }),
      fc.record({ scopes: some, endpoints }, { requiredKeys: [] }),
      async ({ developer, user }, asked) => {
        fc.pre(developer !== undefined || user !== undefined);
        const types = {
          ...(developer && { developer: { scopes: developer } }),
          ...(user && { user: { endpoints: user } }),
        };
        const { token } = await postern.tokens.create({ name: 'any', types });
        const exchanged = await signed.exchange(postern, token, asked).catch((error: { code: string }) => error.code);
        if (typeof exchanged === 'string') {
          expect(['scope_missing', 'endpoint_not_granted']).toContain(exchanged);
          return;
        }
        given++;
        for (const requirement of needed) {
          if ((await allows(exchanged.accessToken, requirement)) !== 'allowed') continue;
          expect(await allows(token, requirement)).toBe('allowed');
        }
      },
    );
    await fc.assert(property, { numRuns: 60 });
    expect(given).toBeGreaterThan(5);
  });
});

const secondsOn = (seconds: number) => new Date(START + seconds * 1000);

describe('the lifetime of an exchanged token', () => {
  it('is the requested one, up to the longest', async () => {
    const { exchange } = await world({}, { maxExpiresIn: '30m' });
    expect((await exchange({ expiresIn: '90s' })).expiresAt).toEqual(secondsOn(90));
    expect((await exchange({ expiresIn: '2999ms' })).expiresAt).toEqual(secondsOn(2));
    expect((await exchange({ expiresIn: '7d' })).expiresAt).toEqual(secondsOn(1800));
  });

  it('ends with its subject at the latest, rounded down to seconds', async () => {
    const { exchange, clock } = await world({ expiresAt: new Date(START + 90_700) });
    const { accessToken, expiresAt } = await exchange();
    expect([expiresAt, claimsIn(accessToken).exp]).toEqual([secondsOn(90), START / 1000 + 90]);
    clock.advance(89_900);
    expect((await exchange()).expiresAt).toEqual(secondsOn(90));
    clock.advance(200);
    expect(await refusal(exchange())).toMatchObject({ code: 'token_expired' });
  });

  it('ends with the grace of a replaced secret at the latest', async () => {
    const { exchange, postern, record, clock } = await world();
    await postern.tokens.rotate(record.id, { grace: '1m' });
    expect((await exchange()).expiresAt).toEqual(secondsOn(60));
    clock.advance(60_000);
    expect(await refusal(exchange())).toMatchObject({ code: 'token_revoked' });
  });
});

describe('the subject of an exchange', () => {
  it('may be a derived token, with its grants and lifetime as bounds', async () => {
    const { postern, signed, token, clock, allows } = await world();
    const narrow = await derive(token, {
      scopes: ['models:read'],
      expiresIn: '2m',
      clock: clock.now,
    });
    const { accessToken, expiresAt, scope } = await signed.exchange(postern, narrow);
    expect([expiresAt, scope]).toEqual([secondsOn(120), 'models:read']);
    expect(await allows(accessToken, { scope: 'models:read' })).toBe('allowed');
    expect(await refusal(signed.exchange(postern, narrow, { scopes: ['models:write'] }))).toMatchObject({
      code: 'scope_missing',
    });
    clock.advance(120_000);
    expect(await refusal(signed.exchange(postern, narrow))).toMatchObject({ code: 'token_expired' });
  });

  it('may be derived for an endpoint by its name', async () => {
    const { postern, signed, token, clock, allows } = await world({ types: { user: { endpoints: '*' } } });
    const narrow = await derive(token, { endpoints: ['summarizer', 'missing'], clock: clock.now });
    const { accessToken } = await signed.exchange(postern, narrow, { endpoints: ['summarizer'] });
    expect([
      await allows(accessToken, { endpoint: 'summarizer' }),
      await allows(accessToken, { endpoint: 'other' }),
    ]).toEqual(['allowed', 'endpoint_not_granted']);
    expect(await refusal(signed.exchange(postern, narrow, { endpoints: ['other'] }))).toMatchObject({
      code: 'endpoint_not_granted',
    });
  });

  it('may not be a token without grants', async () => {
    const { postern, signed, token, clock } = await world();
    const nothing = await derive(token, { scopes: ['cluster:read'], clock: clock.now });
    expect(await refusal(signed.exchange(postern, nothing))).toMatchObject({ code: 'scope_missing' });
  });

  it('may not be an access token of this or another issuer', async () => {
    const clock = testClock();
    const key = await issuerKey('ES256');
    const own = accessTokens({ issuer: AUTH, audience: API, keys: await generateKeys() });
    const trusted = trustedIssuer({
      issuer: ISSUER,
      audience: API,
      jwks: { keys: [key.jwk] },
      principal: ({ sub }) => ({ owner: sub, types: { developer: { scopes: ['models:read'] } } }),
    });
    const { postern } = createTestPostern({ clock, authenticators: [own, trusted] });
    const { token } = await issueBoth({ postern });
    const { accessToken } = await own.exchange(postern, token);
    for (const subject of [accessToken, await signedElsewhere(key)]) {
      expect(await postern.authenticate(subject)).toMatchObject({ ok: true });
      expect(await refusal(own.exchange(postern, subject))).toMatchObject({
        code: 'input_invalid',
        path: 'subjectToken',
      });
    }
  });

  it.each<[string, (token: string) => unknown, string]>([
    ['undefined', () => '', 'input_invalid'],
    ['a number', () => 7, 'input_invalid'],
    ['too long', () => 'x'.repeat(9000), 'input_invalid'],
    ['an unknown token', () => 'pst_unknown', 'token_unknown'],
    [
      'a token with one character changed',
      (token) => `${token.slice(0, -1)}${token.endsWith('a') ? 'b' : 'a'}`,
      'token_unknown',
    ],
    ['a JWT of an unknown issuer', () => 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.AAAA', 'token_unknown'],
  ])('that is %s is refused, and not shown', async (_, spoil, code) => {
    const { postern, signed, token } = await world();
    const subject = spoil(token) as string;
    const refused = await refusal(signed.exchange(postern, subject));
    expect(refused).toMatchObject({ code });
    if (typeof subject === 'string' && subject !== '') expect(refused.message).not.toContain(subject);
  });

  it('that is revoked is refused, and one that can not be looked up is unavailable', async () => {
    const { exchange, postern, record } = await world();
    await postern.tokens.revoke(record.id);
    expect(await refusal(exchange())).toMatchObject({ code: 'token_revoked' });

    const store = controlledStore();
    const down = issuerWorld({ keys: await generateKeys() }, { store, cache: false });
    const { token } = await issueBoth(down);
    store.fail('findTokenByDigest', 'reject');
    expect(await refusal(down.signed.exchange(down.postern, token))).toMatchObject({ code: 'unavailable' });
  });

  it('is looked up in the named instance', async () => {
    const { signed, token } = await world();
    const { postern: stranger } = createTestPostern();
    expect(await refusal(signed.exchange(stranger, token))).toMatchObject({ code: 'input_invalid', path: 'postern' });
    expect(await refusal(signed.exchange({} as typeof stranger, token))).toMatchObject({
      code: 'input_invalid',
      path: 'postern',
    });
  });
});
