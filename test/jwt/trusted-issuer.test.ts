import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { bentocloudTokenTypes, isPosternError, type PosternEvent } from 'postern';
import { dpopProof, type TrustedIssuerOptions, trustedIssuer } from 'postern/jwt';
import { createTestPostern, testClock } from 'postern/testing';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { claimedScopes } from '../../src/jwt/claimed-scopes.js';
import { START, thrown } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';
import { keyServer } from './support/key-server.js';
import { AUDIENCE, base64url, CLAIMS, crafted, ISSUER, type IssuerKey, issuerKey, signed } from './support/tokens.js';

const NOW = START / 1000;
const READ = { scope: 'models:read' } as const;

let key: IssuerKey;
let rsa: IssuerKey;
let weak: IssuerKey;
beforeAll(async () => {
  [key, rsa, weak] = await Promise.all([issuerKey('ES256'), issuerKey('RS256'), issuerKey('EdDSA', 'enc')]);
});

/** The scopes of the token without those of the provider itself. */
const mapping: TrustedIssuerOptions['principal'] = (claims) => {
  const scopes = claimedScopes(claims, ['models:read', 'models:write']);
  return scopes.length === 0 ? null : { owner: claims.sub, types: { developer: { scopes } } };
};

function setUp(options: Partial<TrustedIssuerOptions> = {}) {
  const clock = testClock();
  const events: PosternEvent[] = [];
  const issuer = trustedIssuer({
    issuer: ISSUER,
    audience: AUDIENCE,
    jwks: { keys: [key.jwk, rsa.jwk, { ...weak.jwk, use: 'enc' }] },
    principal: mapping,
    ...options,
  });
  const { postern } = createTestPostern({
    clock,
    onEvent: (event) => events.push(event),
    authenticators: [issuer],
  });
  const reasonOf = async (token: string) => {
    const decision = await postern.authorize({ token, requirement: READ });
    return decision.allowed ? 'allowed' : decision.reason;
  };
  return { postern, clock, events, reasonOf };
}

describe('a token of a trusted issuer', () => {
  it('has the principal that the application makes of its claims', async () => {
    const { postern } = setUp();
    const authentication = await postern.authenticate(await signed(key, { scope: 'openid models:write' }));
    expect(authentication).toMatchObject({
      ok: true,
      principal: {
        owner: 'ci',
        ownership: 'personal',
        organization: 'default',
        types: { developer: { scopes: ['models:write'] } },
        grants: { scopes: ['models:write', 'models:read'], endpoints: [] },
      },
    });
  });

  it('has an id made of its issuer and subject, the same for all its tokens', async () => {
    const { postern } = setUp();
    const idOf = async (claims: object) => {
      const authentication = await postern.authenticate(await signed(key, claims));
      return authentication.ok && authentication.principal.tokenId;
    };
    const digest = createHash('sha256')
      .update(JSON.stringify([ISSUER, 'Zoë']))
      .digest('base64url');
    expect(await idOf({ sub: 'Zoë' })).toBe(`ext_${digest.slice(0, 22)}`);
    expect(await idOf({ sub: 'Zoë', iat: NOW - 1, jti: 'another' })).toBe(`ext_${digest.slice(0, 22)}`);
    expect(await idOf({ sub: 'Zoe' })).not.toBe(`ext_${digest.slice(0, 22)}`);
  });

  it('shares its compiled grants with tokens that are granted the same', async () => {
    const { postern } = setUp();
    const typesOf = async (claims: object) => {
      const authentication = await postern.authenticate(await signed(key, claims));
      return authentication.ok && authentication.principal.types;
    };
    const first = await typesOf({ sub: 'a' });
    expect(first).toEqual({ developer: { scopes: ['models:read'] } });
    expect(await typesOf({ sub: 'b' })).toBe(first);
    expect(await typesOf({ sub: 'c', scope: 'models:write' })).toEqual({ developer: { scopes: ['models:write'] } });
  });

  it('reaches endpoints by their names, in its own organization only', async () => {
    const { postern } = setUp({
      principal: ({ sub }) => ({ owner: sub, organization: 'acme', types: { user: { endpoints: ['summarizer'] } } }),
    });
    const token = await signed(key);
    const ask = async (endpoint: string, organization: string) => {
      const decision = await postern.authorize({ token, requirement: { endpoint, organization } });
      return decision.allowed ? 'allowed' : decision.reason;
    };
    expect(await ask('summarizer', 'acme')).toBe('endpoint_unknown');
    for (const organization of ['acme', 'other']) {
      await postern.endpoints.create({ id: 'summarizer', access: 'protected', organization });
      await postern.endpoints.create({ id: 'translator', access: 'protected', organization });
    }
    expect(await ask('summarizer', 'acme')).toBe('allowed');
    expect(await ask('translator', 'acme')).toBe('endpoint_not_granted');
    expect(await ask('summarizer', 'other')).toBe('endpoint_not_granted');
  });

  it("with '*' reaches all endpoints of its own organization only", async () => {
    const { postern } = setUp({ principal: ({ sub }) => ({ owner: sub, types: { user: { endpoints: '*' } } }) });
    await postern.endpoints.create({ id: 'later', access: 'protected' });
    const decision = await postern.authorize({ token: await signed(key), requirement: { endpoint: 'later' } });
    expect(decision.allowed).toBe(true);
  });

  it('is allowed its grants only', async () => {
    const { postern } = setUp();
    const token = await signed(key);
    const decision = await postern.authorize({ token, requirement: { scope: 'models:write' } });
    expect(decision).toMatchObject({ allowed: false, reason: 'scope_missing' });
  });

  it.each<[string, object, object?]>([
    ['several audiences', { aud: ['https://other.example', AUDIENCE] }],
    ['no typ', {}, { typ: undefined }],
    ['the typ JWT', {}, { typ: 'JWT' }],
    ['the typ application/at+jwt', {}, { typ: 'application/at+JWT' }],
    ['an iat five seconds ahead', { iat: NOW + 5, nbf: NOW + 5 }],
    ['an exp less than five seconds ago', { exp: NOW - 4 }],
    ['claims of Keycloak', { typ: 'Bearer', azp: 'ci', auth_time: NOW, acr: '1' }, { typ: 'JWT' }],
    ['claims of Cognito', { token_use: 'access' }, { typ: undefined }],
  ])('with %s is accepted', async (_, claims, header) => {
    expect(await setUp().reasonOf(await signed(key, claims, header))).toBe('allowed');
  });

  it('bound to a key needs a proof with each call (RFC 9449)', async () => {
    const { postern, clock } = setUp();
    const holder = await issuerKey('ES256');
    const token = await signed(key, { cnf: { jkt: await calculateJwkThumbprint(holder.jwk) } });
    const proof = await dpopProof({
      accessToken: token,
      method: 'GET',
      url: `${AUDIENCE}/models`,
      key: await exportJWK(holder.privateKey),
      clock: clock.now,
    });
    const attempt = { token, method: 'GET', requirement: READ };
    const bound = { ...attempt, proof: { jwt: proof, target: '/models' } };
    expect(await postern.authorize(attempt)).toMatchObject({ allowed: false, reason: 'token_unknown' });
    expect(await postern.authorize(bound)).toMatchObject({ allowed: true });
    expect(await postern.authorize(bound)).toMatchObject({ allowed: false });
  });

  it('bound in another way is refused with any proof', async () => {
    const { postern } = setUp();
    const token = await signed(key, { cnf: { 'x5t#S256': 'A'.repeat(43) } });
    const attempt = { token, method: 'GET', requirement: READ, proof: { jwt: token, target: '/models' } };
    expect(await postern.authorize(attempt)).toMatchObject({ allowed: false, reason: 'token_unknown' });
  });

  it('expires once the tolerance after its exp is over', async () => {
    const { clock, reasonOf } = setUp();
    const token = await signed(key);
    clock.advance(600_000 + 4_999);
    expect(await reasonOf(token)).toBe('allowed');
    clock.advance(1);
    expect(await reasonOf(token)).toBe('token_expired');
    expect(await setUp().reasonOf(await signed(key, { exp: NOW - 5 }))).toBe('token_expired');
  });

  it('is verified and asked about again after maxAge', async () => {
    const principal = vi.fn(mapping);
    const { clock, reasonOf } = setUp({ principal });
    const token = await signed(key, { exp: NOW + 3_600 });
    await reasonOf(token);
    clock.advance(600_000 - 1);
    await reasonOf(token);
    expect(principal).toHaveBeenCalledTimes(1);
    principal.mockReturnValue(null);
    clock.advance(1);
    expect(await reasonOf(token)).toBe('token_unknown');
    expect(principal).toHaveBeenCalledTimes(2);
  });

  it('is refused if the application returns null', async () => {
    expect(await setUp().reasonOf(await signed(key, { scope: 'openid' }))).toBe('token_unknown');
    expect(await setUp({ principal: async () => null }).reasonOf(await signed(key))).toBe('token_unknown');
  });
});

describe('a token', () => {
  const cases: [string, () => Promise<string> | string][] = [
    ['signed with another key', async () => signed(await issuerKey('ES256', key.kid))],
    ['signed with a key for encryption', () => signed(weak)],
    ['with a kid that is a path', () => signed(key, {}, { kid: '../../dev/null' })],
    ['with a kid that is a statement', () => signed(key, {}, { kid: "' or 1=1 --" })],
    ['with an algorithm of another key', async () => signed(await issuerKey('RS256', key.kid))],
    ['with an algorithm that is not in the list', async () => signed(await issuerKey('RS512', 'x'))],
    ['by HMAC with the public key as the secret', () => hmacWith(JSON.stringify(key.jwk))],
    ['by HMAC with an empty secret', () => hmacWith('')],
    ['with alg none', () => crafted({ alg: 'none', typ: 'at+jwt' })],
    ['with the jwk of a key in its header', async () => signed(await issuerKey('ES256', 'own'), {}, { jwk: key.jwk })],
    [
      'with the address of a key in its header',
      async () => signed(await issuerKey('ES256'), {}, { jku: 'https://evil.example' }),
    ],
    ['with a certificate chain in its header', async () => signed(await issuerKey('ES256'), {}, { x5c: ['MIIB'] })],
    ['with crit', async () => crafted({ alg: 'ES256', crit: ['exp'], exp: 1 })],
    ['of another issuer', () => signed(key, { iss: 'https://evil.example' })],
    ['of a list of issuers', () => signed(key, { iss: [ISSUER] })],
    ['for another audience', () => signed(key, { aud: 'https://other.example' })],
    ['for no audience', () => signed(key, { aud: undefined })],
    ['without an end', () => signed(key, { exp: undefined })],
    ['issued in the future', () => signed(key, { iat: NOW + 6 })],
    ['not valid yet', () => signed(key, { nbf: NOW + 6 })],
    ['without a subject', () => signed(key, { sub: undefined })],
    ['forged and expired', async () => signed(await issuerKey('ES256', key.kid), { exp: NOW - 60 })],
    ['of the form of an ID token', () => signed(key, { nonce: 'n' }, { typ: 'JWT' })],
    ['of the form of an ID token, with at_hash', () => signed(key, { at_hash: 'h' }, { typ: undefined })],
    ['of the form of an ID token of Keycloak', () => signed(key, { typ: 'ID' }, { typ: 'JWT' })],
    ['of the form of a refresh token of Keycloak', () => signed(key, { typ: 'Refresh' }, { typ: 'JWT' })],
    ['of the form of an ID token of Cognito', () => signed(key, { token_use: 'id' }, { typ: undefined })],
    ['of the form of a logout token', () => signed(key, {}, { typ: 'logout+jwt' })],
    ['of the form of an old logout token', () => signed(key, { events: {} }, { typ: 'JWT' })],
    ['of the form of a proof of possession', () => signed(key, {}, { typ: 'dpop+jwt' })],
    ['bound to a certificate', () => signed(key, { cnf: { 'x5t#S256': 'x' } })],
    ['bound in an unknown way', () => signed(key, { cnf: 7 })],
    ['bound to a key, without a proof', () => signed(key, { cnf: { jkt: 'A'.repeat(43) } })],
    ['with a claim twice', () => crafted({ alg: 'ES256', kid: key.kid }, `{"iss":"${ISSUER}","iss":"${ISSUER}"}`)],
    ['encrypted', () => `${base64url({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
  ];

  it.each(cases)('%s is refused', async (_, make) => {
    expect(await setUp().reasonOf(await make())).toBe('token_unknown');
  });

  it.each([
    ['padding', (token: string) => `${token}==`],
    ['a line end', (token: string) => `${token}\n`],
    ['a space inside', (token: string) => `${token.slice(0, -3)} ${token.slice(-3)}`],
    [
      'unused bits',
      (token: string) => token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
    ],
    ['the other base64 alphabet', (token: string) => token.replaceAll('-', '+').replaceAll('_', '/')],
  ])('otherwise good is refused with %s', async (_, spoil) => {
    // The signature needs a character of each alphabet, or the last alias would be the token itself.
    let token = await signed(key);
    while (!/[-_]/.test(token)) token = await signed(key);
    const { reasonOf } = setUp();
    expect(await reasonOf(token)).toBe('allowed');
    expect(await reasonOf(spoil(token))).not.toBe('allowed');
  });

  it('with missing claims is refused, also if a polluted prototype has them', async () => {
    const { reasonOf } = setUp();
    const token = await signed(key, { aud: undefined });
    const reason = await polluted({ aud: AUDIENCE }, () => reasonOf(token));
    expect(reason).toBe('token_unknown');
  });

  it('that is malformed does not reach a key server', async () => {
    const server = await keyServer({ '/jwks': { keys: [key.jwk] } });
    const { reasonOf } = setUp({ jwks: `${server.origin}/jwks` });
    for (const [, make] of cases.slice(6, 21)) await reasonOf(await make());
    expect(server.count('/jwks')).toBe(0);
  });

  async function hmacWith(secret: string): Promise<string> {
    const { createHmac } = await import('node:crypto');
    const signedPart = `${base64url({ alg: 'HS256', typ: 'at+jwt', kid: key.kid })}.${base64url(CLAIMS)}`;
    return `${signedPart}.${createHmac('sha256', secret).update(signedPart).digest('base64url')}`;
  }
});

describe('the principal function of a trusted issuer', () => {
  const broken: [string, unknown, string][] = [
    ['undefined', undefined, 'input_invalid'],
    ['true', true, 'input_invalid'],
    ['a text', 'ci', 'input_invalid'],
    ['no types', { owner: 'ci' }, 'types_missing'],
    ['empty types', { owner: 'ci', types: {} }, 'types_missing'],
    ['an unknown type', { owner: 'ci', types: { admin: { scopes: ['*'] } } }, 'type_unknown'],
    ['an unknown scope', { owner: 'ci', types: { developer: { scopes: ['models:fly'] } } }, 'scope_unknown'],
    ['no scopes', { owner: 'ci', types: { developer: { scopes: [] } } }, 'input_invalid'],
    ['scopes in a text', { owner: 'ci', types: { developer: { scopes: '*' } } }, 'input_invalid'],
    ['a scope of a prototype', { owner: 'ci', types: { developer: { scopes: ['constructor'] } } }, 'scope_unknown'],
    ['an invalid endpoint id', { owner: 'ci', types: { user: { endpoints: ['a b'] } } }, 'endpoint_unknown'],
    ['a uid', { owner: 'ci', types: { user: { endpoints: [{ id: 'a', uid: 'u' }] } } }, 'endpoint_unknown'],
    ['no owner', { types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an empty owner', { owner: '', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an unknown field', { owner: 'ci', types: { developer: { scopes: ['*'] } }, admin: true }, 'option_unknown'],
    ["organization '*'", { owner: 'ci', organization: '*', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['no organization', { owner: 'ci', organization: '', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an ownership', { owner: 'ci', ownership: 'mine', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
  ];

  it.each(broken)('that returns %s makes the call unavailable, never allowed', async (_, made, code) => {
    const { events, reasonOf } = setUp({ principal: () => made as never });
    expect(await reasonOf(await signed(key, { sub: 'canary' }))).toBe('unavailable');
    const fault = events.find(({ type }) => type === 'fault') as { error: Error } | undefined;
    const error = isPosternError(fault?.error) ? fault.error : (fault?.error.cause as Error & { code?: string });
    expect(error?.code).toBe(code);
    expect(error?.message).toContain('principal');
    expect(error?.message).not.toContain('canary');
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('down');
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('that %s makes the call unavailable', async (_, principal) => {
    const { postern } = setUp({ principal });
    const decision = await postern.authorize({ token: await signed(key), requirement: READ });
    expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
  });

  it('gets verified claims only', async () => {
    const principal = vi.fn(mapping);
    const { reasonOf } = setUp({ principal });
    await reasonOf(await signed(await issuerKey('ES256', key.kid)));
    await reasonOf(await signed(key, { aud: 'https://other.example' }));
    await reasonOf(await signed(key, { exp: NOW - 60 }));
    expect(principal).not.toHaveBeenCalled();
  });

  it('changes no identity by changing its claims', async () => {
    const { postern } = setUp({
      principal: (claims) => {
        (claims as { sub: string }).sub = 'someone else';
        return mapping(claims);
      },
    });
    const token = await signed(key);
    const first = await postern.authenticate(token);
    const second = await setUp().postern.authenticate(token);
    expect(first.ok && first.principal.tokenId).toBe(second.ok && second.principal.tokenId);
  });
});

describe('several trusted issuers', () => {
  it("each judge their own tokens, and a stranger's token is unknown", async () => {
    const other = await issuerKey('ES256', 'other');
    const trust = (issuer: string, { jwk }: IssuerKey, owner: string) =>
      trustedIssuer({
        issuer,
        audience: AUDIENCE,
        jwks: { keys: [jwk] },
        principal: () => ({ owner, types: { developer: { scopes: ['models:read'] } } }),
      });
    const { postern } = createTestPostern({
      tokenTypes: bentocloudTokenTypes,
      authenticators: [trust(ISSUER, key, 'first'), trust('https://second.example', other, 'second')],
    });
    const ownerOf = async (token: string) => {
      const authentication = await postern.authenticate(token);
      return authentication.ok ? authentication.principal.owner : authentication.reason;
    };
    expect(await ownerOf(await signed(key))).toBe('first');
    expect(await ownerOf(await signed(other, { iss: 'https://second.example' }))).toBe('second');
    expect(await ownerOf(await signed(other))).toBe('token_unknown');
    expect(await ownerOf(await signed(key, { iss: 'https://second.example' }))).toBe('token_unknown');
    expect(await ownerOf(await signed(key, { iss: 'https://third.example' }))).toBe('token_unknown');
  });
});

describe('the key server of a trusted issuer', () => {
  it('that is down makes the call unavailable, with any token', async () => {
    const server = await keyServer();
    await server.down();
    const { postern } = setUp({ jwks: new URL(`${server.origin}/jwks`) });
    for (const token of [await signed(key), await signed(await issuerKey('ES256'))]) {
      const decision = await postern.authorize({ token, requirement: READ });
      expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
    }
  });

  it('is asked once in each cool-down for many unknown kids', async () => {
    const server = await keyServer({ '/jwks': { keys: [key.jwk] } });
    const { clock, reasonOf } = setUp({ jwks: `${server.origin}/jwks` });
    const flood = await Promise.all(Array.from({ length: 1_000 }, (_, index) => signed(key, {}, { kid: `k${index}` })));
    expect(new Set(await Promise.all(flood.map(reasonOf)))).toEqual(new Set(['token_unknown']));
    expect(server.count('/jwks')).toBe(1);
    clock.advance(30_000);
    await Promise.all(flood.map(reasonOf));
    expect(server.count('/jwks')).toBe(2);
    expect(await reasonOf(await signed(key))).toBe('allowed');
    expect(server.count('/jwks')).toBe(2);
  });

  it('that fails is reported while cached keys still serve', async () => {
    const server = await keyServer({ '/jwks': { keys: [key.jwk] } });
    const { clock, events, reasonOf } = setUp({ jwks: `${server.origin}/jwks` });
    const token = await signed(key, { exp: NOW + 86_400 });
    expect(await reasonOf(token)).toBe('allowed');
    await server.down();
    clock.advance(600_000);
    expect(await reasonOf(token)).toBe('allowed');
    expect(events.filter(({ type }) => type === 'fault')).toHaveLength(1);
    clock.advance(3_600_000);
    expect(await reasonOf(token)).toBe('unavailable');
  });
});

describe('trustedIssuer', () => {
  const good = { issuer: ISSUER, audience: AUDIENCE, principal: mapping };
  it.each<[string, object, string | undefined]>([
    ['nothing', {}, 'issuer'],
    ['no issuer', { ...good, issuer: undefined }, 'issuer'],
    ['an empty issuer', { ...good, issuer: '' }, 'issuer'],
    ['an invalid issuer URL without keys', { ...good, issuer: 'login' }, 'issuer'],
    ['an issuer over http without keys', { ...good, issuer: 'http://login.example' }, 'issuer'],
    ['no audience', { ...good, audience: undefined }, 'audience'],
    ['an empty audience', { ...good, audience: '' }, 'audience'],
    ['an empty list of audiences', { ...good, audience: [] }, 'audience'],
    ['no principal', { ...good, principal: undefined }, 'principal'],
    ['a principal that is not a function', { ...good, principal: { owner: 'ci' } }, 'principal'],
    ['no algorithms', { ...good, algorithms: [] }, 'algorithms'],
    ['HS256', { ...good, algorithms: ['RS256', 'HS256'] }, 'algorithms.1'],
    ['the algorithm none', { ...good, algorithms: ['none'] }, 'algorithms.0'],
    ['algorithms in a text', { ...good, algorithms: 'RS256' }, 'algorithms'],
    ['keys over http', { ...good, jwks: 'http://login.example/jwks' }, 'jwks'],
    ['invalid keys', { ...good, jwks: { keys: 'x' } }, 'jwks'],
    ['a set without a usable key', { ...good, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, 'jwks'],
    ['a tolerance of an hour', { ...good, clockTolerance: '1h' }, 'clockTolerance'],
    ['an invalid typ', { ...good, tokenType: [''] }, undefined],
    ['an empty list of typs', { ...good, tokenType: [] }, 'tokenType'],
  ])('refuses %s', (_, options, path) => {
    const error = thrown(() => trustedIssuer(options as TrustedIssuerOptions));
    expect(error.code).toBe('option_invalid');
    if (path !== undefined) expect(error.path).toBe(path);
  });

  it('refuses unknown options', () => {
    const options = { ...good, audiences: AUDIENCE };
    expect(thrown(() => trustedIssuer(options))).toMatchObject({ code: 'option_unknown', path: 'audiences' });
  });

  it('accepts only the named typs', async () => {
    const { reasonOf } = setUp({ tokenType: 'at+jwt' });
    expect(await reasonOf(await signed(key))).toBe('allowed');
    expect(await reasonOf(await signed(key, {}, { typ: 'JWT' }))).toBe('token_unknown');
    expect(await reasonOf(await signed(key, {}, { typ: undefined }))).toBe('token_unknown');
  });

  it('accepts only the named algorithms', async () => {
    const { reasonOf } = setUp({ algorithms: ['ES256'] });
    expect(await reasonOf(await signed(key))).toBe('allowed');
    expect(await reasonOf(await signed(rsa))).toBe('token_unknown');
    expect(await setUp().reasonOf(await signed(rsa))).toBe('allowed');
  });
});

describe('claimedScopes', () => {
  it.each([
    [{ scope: 'openid models:read' }, ['models:read']],
    [{ scope: 'models:write models:read models:write' }, ['models:read', 'models:write']],
    [{ scp: ['models:read', 7] }, ['models:read']],
    [{ scp: 'models:read' }, ['models:read']],
    [{ scope: { 'models:read': true } }, []],
    [{ scope: 'models:read,models:write' }, []],
    [{}, []],
  ])('reads %o as %o', (claims, scopes) => {
    expect(claimedScopes(claims, ['models:read', 'models:write'])).toEqual(scopes);
  });
});
