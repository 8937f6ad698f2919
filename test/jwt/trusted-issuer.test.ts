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

/** Scopes of the token, but for those that are the provider's own. */
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
  it('is a principal with what the application makes of its claims', async () => {
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

  it('has an id of its issuer and subject, the same for all of its tokens', async () => {
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

  it('shares what it is granted with others that are granted the same: what is remembered stays small', async () => {
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

  it('reaches endpoints by their names, in its own organization', async () => {
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

  it('reaches every endpoint of its organization where it is granted so', async () => {
    const { postern } = setUp({ principal: ({ sub }) => ({ owner: sub, types: { user: { endpoints: '*' } } }) });
    await postern.endpoints.create({ id: 'later', access: 'protected' });
    const decision = await postern.authorize({ token: await signed(key), requirement: { endpoint: 'later' } });
    expect(decision.allowed).toBe(true);
  });

  it('grants no more than it is granted', async () => {
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
    ['an exp that was less than five seconds ago', { exp: NOW - 4 }],
    ['claims of Keycloak', { typ: 'Bearer', azp: 'ci', auth_time: NOW, acr: '1' }, { typ: 'JWT' }],
    ['claims of Cognito', { token_use: 'access' }, { typ: undefined }],
  ])('is accepted with %s', async (_, claims, header) => {
    expect(await setUp().reasonOf(await signed(key, claims, header))).toBe('allowed');
  });

  it('needs a proof with each call where it is bound to a key (RFC 9449)', async () => {
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

  it('is nobody where it is bound in another way, whatever proof comes with it', async () => {
    const { postern } = setUp();
    const token = await signed(key, { cnf: { 'x5t#S256': 'A'.repeat(43) } });
    const attempt = { token, method: 'GET', requirement: READ, proof: { jwt: token, target: '/models' } };
    expect(await postern.authorize(attempt)).toMatchObject({ allowed: false, reason: 'token_unknown' });
  });

  it('expires by its own exp, with the tolerance once', async () => {
    const { clock, reasonOf } = setUp();
    const token = await signed(key);
    clock.advance(600_000 + 4_999);
    expect(await reasonOf(token)).toBe('allowed');
    clock.advance(1);
    expect(await reasonOf(token)).toBe('token_expired');
    expect(await setUp().reasonOf(await signed(key, { exp: NOW - 5 }))).toBe('token_expired');
  });

  it('is verified once in maxAge, and then again: what the application looks up is that old at most', async () => {
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

  it('is nobody where the application says so', async () => {
    expect(await setUp().reasonOf(await signed(key, { scope: 'openid' }))).toBe('token_unknown');
    expect(await setUp({ principal: async () => null }).reasonOf(await signed(key))).toBe('token_unknown');
  });
});

describe('a forged token', () => {
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
    ['with a key of its own', async () => signed(await issuerKey('ES256', 'own'), {}, { jwk: key.jwk })],
    ['with the address of a key', async () => signed(await issuerKey('ES256'), {}, { jku: 'https://evil.example' })],
    ['with a chain of certificates', async () => signed(await issuerKey('ES256'), {}, { x5c: ['MIIB'] })],
    ['with an extension', async () => crafted({ alg: 'ES256', crit: ['exp'], exp: 1 })],
    ['of another issuer', () => signed(key, { iss: 'https://evil.example' })],
    ['of a list of issuers', () => signed(key, { iss: [ISSUER] })],
    ['for another audience', () => signed(key, { aud: 'https://other.example' })],
    ['for no audience', () => signed(key, { aud: undefined })],
    ['without an end', () => signed(key, { exp: undefined })],
    ['of the future', () => signed(key, { iat: NOW + 6 })],
    ['not good yet', () => signed(key, { nbf: NOW + 6 })],
    ['without a subject', () => signed(key, { sub: undefined })],
    ['forged and expired', async () => signed(await issuerKey('ES256', key.kid), { exp: NOW - 60 })],
    ['that is an ID token', () => signed(key, { nonce: 'n' }, { typ: 'JWT' })],
    ['that is an ID token by its hash', () => signed(key, { at_hash: 'h' }, { typ: undefined })],
    ['that is an ID token of Keycloak', () => signed(key, { typ: 'ID' }, { typ: 'JWT' })],
    ['that is a refresh token of Keycloak', () => signed(key, { typ: 'Refresh' }, { typ: 'JWT' })],
    ['that is an ID token of Cognito', () => signed(key, { token_use: 'id' }, { typ: undefined })],
    ['that is a logout token', () => signed(key, {}, { typ: 'logout+jwt' })],
    ['that is a logout token of the old form', () => signed(key, { events: {} }, { typ: 'JWT' })],
    ['that is a proof of possession', () => signed(key, {}, { typ: 'dpop+jwt' })],
    ['that is bound to a certificate', () => signed(key, { cnf: { 'x5t#S256': 'x' } })],
    ['that is bound to something unheard of', () => signed(key, { cnf: 7 })],
    ['that is bound to a key, without a proof', () => signed(key, { cnf: { jkt: 'A'.repeat(43) } })],
    ['with a claim twice', () => crafted({ alg: 'ES256', kid: key.kid }, `{"iss":"${ISSUER}","iss":"${ISSUER}"}`)],
    ['encrypted', () => `${base64url({ alg: 'dir', enc: 'A256GCM' })}..AAAA.AAAA.AAAA`],
  ];

  it.each(cases)('is nobody: %s', async (_, make) => {
    expect(await setUp().reasonOf(await make())).toBe('token_unknown');
  });

  it.each([
    ['padding', (token: string) => `${token}==`],
    ['a line', (token: string) => `${token}\n`],
    ['a space inside', (token: string) => `${token.slice(0, -3)} ${token.slice(-3)}`],
    [
      'unused bits',
      (token: string) => token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1),
    ],
    ['the other alphabet', (token: string) => token.replaceAll('-', '+').replaceAll('_', '/')],
  ])('is nobody: a good one with %s', async (_, spoil) => {
    // One with all of the alphabet in its signature, or the last alias would be itself.
    let token = await signed(key);
    while (!/[-_]/.test(token)) token = await signed(key);
    const { reasonOf } = setUp();
    expect(await reasonOf(token)).toBe('allowed');
    expect(await reasonOf(spoil(token))).not.toBe('allowed');
  });

  it('is nobody where a polluted prototype has what it lacks', async () => {
    const { reasonOf } = setUp();
    const token = await signed(key, { aud: undefined });
    const reason = await polluted({ aud: AUDIENCE }, () => reasonOf(token));
    expect(reason).toBe('token_unknown');
  });

  it('is asked nothing of a key server', async () => {
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

describe('what the application makes of the claims', () => {
  const broken: [string, unknown, string][] = [
    ['nothing', undefined, 'input_invalid'],
    ['true', true, 'input_invalid'],
    ['a text', 'ci', 'input_invalid'],
    ['no types', { owner: 'ci' }, 'types_missing'],
    ['empty types', { owner: 'ci', types: {} }, 'types_missing'],
    ['an unknown type', { owner: 'ci', types: { admin: { scopes: ['*'] } } }, 'type_unknown'],
    ['an unknown scope', { owner: 'ci', types: { developer: { scopes: ['models:fly'] } } }, 'scope_unknown'],
    ['no scopes', { owner: 'ci', types: { developer: { scopes: [] } } }, 'input_invalid'],
    ['scopes in a text', { owner: 'ci', types: { developer: { scopes: '*' } } }, 'input_invalid'],
    ['a scope of a prototype', { owner: 'ci', types: { developer: { scopes: ['constructor'] } } }, 'scope_unknown'],
    ['an endpoint that is none', { owner: 'ci', types: { user: { endpoints: ['a b'] } } }, 'endpoint_unknown'],
    ['a uid', { owner: 'ci', types: { user: { endpoints: [{ id: 'a', uid: 'u' }] } } }, 'endpoint_unknown'],
    ['no owner', { types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an empty owner', { owner: '', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['another field', { owner: 'ci', types: { developer: { scopes: ['*'] } }, admin: true }, 'option_unknown'],
    [
      'every organization',
      { owner: 'ci', organization: '*', types: { developer: { scopes: ['*'] } } },
      'input_invalid',
    ],
    ['no organization', { owner: 'ci', organization: '', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
    ['an ownership', { owner: 'ci', ownership: 'mine', types: { developer: { scopes: ['*'] } } }, 'input_invalid'],
  ];

  it.each(broken)('is a fault, and never an allow: %s', async (_, made, code) => {
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
  ])('is a fault where it %s', async (_, principal) => {
    const { postern } = setUp({ principal });
    const decision = await postern.authorize({ token: await signed(key), requirement: READ });
    expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
  });

  it('is made of claims that were verified: the function sees no others', async () => {
    const principal = vi.fn(mapping);
    const { reasonOf } = setUp({ principal });
    await reasonOf(await signed(await issuerKey('ES256', key.kid)));
    await reasonOf(await signed(key, { aud: 'https://other.example' }));
    await reasonOf(await signed(key, { exp: NOW - 60 }));
    expect(principal).not.toHaveBeenCalled();
  });

  it('takes no identity from what it does with them', async () => {
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

describe('several issuers', () => {
  it("each judge their own tokens, and nobody judges a stranger's", async () => {
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

describe('a key server', () => {
  it('that is down makes a call unavailable, whatever token came', async () => {
    const server = await keyServer();
    await server.down();
    const { postern } = setUp({ jwks: new URL(`${server.origin}/jwks`) });
    for (const token of [await signed(key), await signed(await issuerKey('ES256'))]) {
      const decision = await postern.authorize({ token, requirement: READ });
      expect(decision).toMatchObject({ allowed: false, reason: 'unavailable', cause: 'issuer' });
    }
  });

  it('is asked again once in a cool-down, however many tokens name however many keys', async () => {
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

  it('tells of its failure while the keys that are known go on', async () => {
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

describe('the options', () => {
  const good = { issuer: ISSUER, audience: AUDIENCE, principal: mapping };
  it.each<[string, object, string | undefined]>([
    ['nothing', {}, 'issuer'],
    ['no issuer', { ...good, issuer: undefined }, 'issuer'],
    ['an empty issuer', { ...good, issuer: '' }, 'issuer'],
    ['an issuer that is no address, and no keys', { ...good, issuer: 'login' }, 'issuer'],
    ['an issuer over http, and no keys', { ...good, issuer: 'http://login.example' }, 'issuer'],
    ['no audience', { ...good, audience: undefined }, 'audience'],
    ['an empty audience', { ...good, audience: '' }, 'audience'],
    ['an empty list of audiences', { ...good, audience: [] }, 'audience'],
    ['no principal', { ...good, principal: undefined }, 'principal'],
    ['a principal that is no function', { ...good, principal: { owner: 'ci' } }, 'principal'],
    ['no algorithms', { ...good, algorithms: [] }, 'algorithms'],
    ['HS256', { ...good, algorithms: ['RS256', 'HS256'] }, 'algorithms.1'],
    ['none', { ...good, algorithms: ['none'] }, 'algorithms.0'],
    ['algorithms in a text', { ...good, algorithms: 'RS256' }, 'algorithms'],
    ['keys over http', { ...good, jwks: 'http://login.example/jwks' }, 'jwks'],
    ['keys that are none', { ...good, jwks: { keys: 'x' } }, 'jwks'],
    ['a set without a key that fits', { ...good, jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }, 'jwks'],
    ['a tolerance of an hour', { ...good, clockTolerance: '1h' }, 'clockTolerance'],
    ['a type that is none', { ...good, tokenType: [''] }, undefined],
    ['no types', { ...good, tokenType: [] }, 'tokenType'],
  ])('refuse %s', (_, options, path) => {
    const error = thrown(() => trustedIssuer(options as TrustedIssuerOptions));
    expect(error.code).toBe('option_invalid');
    if (path !== undefined) expect(error.path).toBe(path);
  });

  it('refuse what they do not know', () => {
    const options = { ...good, audiences: AUDIENCE };
    expect(thrown(() => trustedIssuer(options))).toMatchObject({ code: 'option_unknown', path: 'audiences' });
  });

  it('take the types of token that are named, and no others', async () => {
    const { reasonOf } = setUp({ tokenType: 'at+jwt' });
    expect(await reasonOf(await signed(key))).toBe('allowed');
    expect(await reasonOf(await signed(key, {}, { typ: 'JWT' }))).toBe('token_unknown');
    expect(await reasonOf(await signed(key, {}, { typ: undefined }))).toBe('token_unknown');
  });

  it('take the algorithms that are named, and no others', async () => {
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
