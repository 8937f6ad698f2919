import { createHash } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import { bentocloudTokenTypes } from 'postern';
import { dpopProof, trustedIssuer } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it, vi } from 'vitest';
import { claimedScopes } from '../../src/jwt/claimed-scopes.js';
import { START } from '../support/outcomes.js';
import { keyServer } from './support/key-server.js';
import { AUDIENCE, ISSUER, type IssuerKey, issuerKey, signed } from './support/tokens.js';
import { key, mapping, setUp } from './support/trusting.js';

const NOW = START / 1000;
const READ = { scope: 'models:read' } as const;

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
