import { exportJWK, generateKeyPair } from 'jose';
import { accessTokens, trustedIssuer } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { verdict } from '../support/outcomes.js';
import { API, AUTH, issuerWorld } from './support/access.js';
import { arena, NOW, requirement } from './support/arena.js';

describe('an access token', () => {
  it('with nothing wrong is allowed, by either way of signing it', async () => {
    const { honest, saying, header, postern } = await arena();
    for (const token of [honest(header), await saying({})]) {
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    }
  });

  it.each<[string, object, object]>([
    ['a typ in full and in capitals', {}, { typ: 'Application/AT+JWT' }],
    ['several audiences, one of them ours', { aud: ['https://other.example', API] }, {}],
    ['an iat five seconds ahead', { iat: NOW + 5 }, {}],
    ['an nbf five seconds ahead', { nbf: NOW + 5 }, {}],
    ['an end in fractions of a second', { exp: NOW + 0.5 }, {}],
    ['an unknown claim', { email: 'zoe@example' }, {}],
    ['claims named like members of a prototype', { constructor: 1, hasOwnProperty: 2 }, {}],
  ])('with %s is allowed', async (_, claims, header) => {
    const { saying, postern } = await arena();
    expect(verdict(await postern.authorize({ token: await saying(claims, header), requirement }))).toBe('allowed');
  });

  it('with grants of a later version is allowed its known grants only', async () => {
    const { saying, signed, clock } = await arena();
    const authenticators = [accessTokens.verifier({ issuer: AUTH, audience: API, jwks: await signed.jwks() })];
    const { postern } = createTestPostern({ clock, authenticators });
    const token = await saying({
      authorization_details: [
        { type: 'scope_access', token_type: 'developer', scopes: ['models:read', 'models:audit'] },
        { type: 'scope_access', token_type: 'auditor', scopes: ['*'] },
        { type: 'scope_access', token_type: '__proto__', scopes: ['*'] },
        { type: 'endpoint_access', token_type: 'user', identifier: 'a/../b' },
        { type: 'payment', amount: 5 },
        'models:write',
        null,
      ],
    });
    expect(await postern.authenticate(token)).toMatchObject({
      ok: true,
      principal: { grants: { scopes: ['models:read'], endpoints: [] } },
    });
  });
});

it('a token of another typ is left to other authenticators, because an issuer may make several kinds', async () => {
  const { good, saying, ed, clock } = await arena();
  const { d, ...jwk } = ed;
  const keys = { issuer: AUTH, audience: API, jwks: { keys: [jwk] } };
  const { postern } = createTestPostern({
    clock,
    authenticators: [
      accessTokens.verifier(keys),
      trustedIssuer({
        ...keys,
        tokenType: 'JWT',
        principal: () => ({ owner: 'someone', types: { developer: { scopes: ['iam:read'] } } }),
      }),
    ],
  });
  const ownerOf = async (token: string) => {
    const who = await postern.authenticate(token);
    return who.ok ? who.principal.owner : who.reason;
  };
  expect([await ownerOf(good), await ownerOf(await saying({}, { typ: 'JWT' }))]).toEqual(['zoe', 'someone']);
});

it('the JWKS of an issuer has only the public members of its keys', async () => {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { signed } = issuerWorld({ keys: [await exportJWK(privateKey)] });
  for (const jwk of (await signed.jwks()).keys)
    expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'kid', 'alg', 'use']);
});
