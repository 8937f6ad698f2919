import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { generateKeyPair } from 'jose';
import { memoryStore } from 'postern';
import { accessTokens, type PrivateJwk } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { bindingOf } from '../../src/jwt/binding.js';
import type { AuthenticatorHost } from '../../src/ports/authenticator.js';
import { verdict } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';
import { API, AUTH, claimsIn, issuerWorld, resigned } from './support/access.js';
import { type Arena, arena, NOW, requirement } from './support/arena.js';
import { inputOf } from './support/tokens.js';

const hs256 = (input: string, secret: string | Uint8Array) =>
  createHmac('sha256', secret).update(input).digest('base64url');

function withHmac({ crafted, header }: Arena, secret: string | Uint8Array): string {
  const input = inputOf(crafted({ ...header, alg: 'HS256' }));
  return `${input}.${hs256(input, secret)}`;
}

const pem = ({ kty, crv, x, y }: PrivateJwk) =>
  createPublicKey({ key: { kty, crv, x, ...(y && { y }) } as never, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();

const withBitsAtTheEnd = (text: string) => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = alphabet.indexOf(text.slice(-1));
  return text.slice(0, -1) + alphabet.charAt(last | 1);
};

const FORGERIES: readonly [string, (arena: Arena) => string | Promise<string>][] = [
  // The algorithm is not the token's choice.
  ['alg none, without a signature', ({ crafted, header }) => crafted({ ...header, alg: 'none' }, undefined, '')],
  ['alg none, with a signature', ({ crafted, header }) => crafted({ ...header, alg: 'none' })],
  ['alg NONE', ({ crafted, header }) => crafted({ ...header, alg: 'NONE' })],
  ['HS256 with the public key as its secret', (all) => withHmac(all, pem(all.ed))],
  ['HS256 with the public JWK’s bytes as its secret', (all) => withHmac(all, Buffer.from(all.ed.x, 'base64url'))],
  ['HS256 with an empty secret', (all) => withHmac(all, '')],
  ['alg with a space before it', ({ honest, header }) => honest({ ...header, alg: ' EdDSA' })],
  ['alg with a line after it', ({ honest, header }) => honest({ ...header, alg: 'EdDSA\n' })],
  ['a list as alg', ({ honest, header }) => honest({ ...header, alg: ['EdDSA'] })],
  ['no alg', ({ honest, ed }) => honest({ typ: 'at+jwt', kid: ed.kid })],
  ['an algorithm that does not fit the key', ({ crafted, header }) => crafted({ ...header, alg: 'ES256' })],
  ['another name of the key’s algorithm', ({ honest, header }) => honest({ ...header, alg: 'Ed25519' })],
  [
    'RS256 under the kid of another key',
    async ({ good, header }) => {
      const { privateKey } = await generateKeyPair('RS256');
      return resigned(good, privateKey, {}, { ...header, alg: 'RS256' });
    },
  ],
  [
    'an ES256 signature in DER form',
    ({ crafted, header, ec }) => {
      const input = inputOf(crafted({ ...header, alg: 'ES256', kid: ec.kid }));
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return `${input}.${sign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
    },
  ],
  [
    'an ES256 signature of zeros',
    ({ crafted, header, ec }) => crafted({ ...header, alg: 'ES256', kid: ec.kid }, undefined, 'A'.repeat(86)),
  ],
  // The key is the issuer's.
  ['a stranger’s signature', ({ forged }) => forged()],
  ['a stranger’s signature, expired', ({ forged }) => forged({ exp: NOW - 60 })],
  ['a stranger’s key under its own kid', ({ forged }) => forged({}, { kid: 'mine' })],
  ['the kid of the other key', ({ saying, ec }) => saying({}, { kid: ec.kid })],
  ['no kid', ({ saying }) => saying({}, { kid: undefined })],
  ['an empty kid', ({ saying }) => saying({}, { kid: '' })],
  ['a number as kid', ({ honest, header }) => honest({ ...header, kid: 1 })],
  ['a path as kid', ({ forged }) => forged({}, { kid: '../../dev/null' })],
  ['a kid that every object has as a property', ({ forged }) => forged({}, { kid: '__proto__' })],
  ['a very long kid', ({ forged }) => forged({}, { kid: 'k'.repeat(4000) })],
  // No key comes from the token.
  [
    'a jwk in the header',
    async ({ crafted, header }) => {
      const { privateKey, publicKey } = generateKeyPairSync('ed25519');
      const jwk = publicKey.export({ format: 'jwk' });
      const input = inputOf(crafted({ ...header, jwk, kid: undefined }));
      return `${input}.${sign(null, Buffer.from(input), privateKey).toString('base64url')}`;
    },
  ],
  ['jku', ({ saying }) => saying({}, { jku: 'https://evil.example/jwks.json' })],
  ['x5u', ({ saying }) => saying({}, { x5u: 'https://evil.example/cert.pem' })],
  ['x5c', ({ saying }) => saying({}, { x5c: ['MIIB'] })],
  ['a jwk of the issuer in the header', ({ saying, ed: { kty, crv, x } }) => saying({}, { jwk: { kty, crv, x } })],
  // Extensions and the purpose of the token.
  ['crit', ({ honest, header }) => honest({ ...header, crit: ['exp'] })],
  ['an empty crit', ({ honest, header }) => honest({ ...header, crit: [] })],
  ['b64', ({ honest, header }) => honest({ ...header, b64: true })],
  ['no typ', ({ saying }) => saying({}, { typ: undefined })],
  ['typ JWT, like an ID token', ({ saying }) => saying({}, { typ: 'JWT' })],
  ['the typ of a proof', ({ saying }) => saying({}, { typ: 'dpop+jwt' })],
  ['the typ of a derived token', ({ saying }) => saying({}, { typ: 'derived+jwt' })],
  ['a typ that only begins right', ({ saying }) => saying({}, { typ: 'at+jwt; v=1' })],
  ['no iss', ({ saying }) => saying({ iss: undefined })],
  ['a list as iss', ({ saying }) => saying({ iss: [AUTH] })],
  ['iss with a slash at its end', ({ saying }) => saying({ iss: `${AUTH}/` })],
  ['iss in capitals', ({ saying }) => saying({ iss: AUTH.toUpperCase() })],
  ['no aud', ({ saying }) => saying({ aud: undefined })],
  ['another aud', ({ saying }) => saying({ aud: 'https://other.example' })],
  ['an aud that only begins right', ({ saying }) => saying({ aud: `${API}.evil.example` })],
  ['an empty list as aud', ({ saying }) => saying({ aud: [] })],
  ['an object as aud', ({ saying }) => saying({ aud: { [API]: API } })],
  ['a number in the list of aud', ({ saying }) => saying({ aud: [API, 7] })],
  ['no exp', ({ saying }) => saying({ exp: undefined })],
  ['a text as exp', ({ saying }) => saying({ exp: String(NOW + 600) })],
  ['an exp of null', ({ saying }) => saying({ exp: null })],
  ['an exp beyond all dates', ({ saying }) => saying({ exp: 1e300 })],
  ['no iat', ({ saying }) => saying({ iat: undefined })],
  ['an iat more than five seconds ahead', ({ saying }) => saying({ iat: NOW + 6 })],
  ['an nbf more than five seconds ahead', ({ saying }) => saying({ nbf: NOW + 6 })],
  ['a text as nbf', ({ saying }) => saying({ nbf: '0' })],
  ['no sub', ({ saying }) => saying({ sub: undefined })],
  ['an empty sub', ({ saying }) => saying({ sub: '' })],
  ['a sub that is not the owner', ({ saying }) => saying({ sub: 'eve' })],
  ['no jti', ({ saying }) => saying({ jti: undefined })],
  ['no client_id', ({ saying }) => saying({ client_id: undefined })],
  ['no organization', ({ saying }) => saying({ organization: undefined })],
  ["organization '*'", ({ saying }) => saying({ organization: '*' })],
  ['an unknown ownership', ({ saying }) => saying({ ownership: 'everyone' })],
  ['no authorization_details', ({ saying }) => saying({ authorization_details: undefined })],
  ['empty authorization_details', ({ saying }) => saying({ authorization_details: [] })],
  [
    'authorization_details that are not a list',
    ({ saying }) => saying({ authorization_details: { type: 'scope_access' } }),
  ],
  [
    'authorization_details of one type in two forms',
    ({ saying }) =>
      saying({
        authorization_details: [
          { type: 'scope_access', token_type: 'user', scopes: ['models:read'] },
          { type: 'endpoint_access', token_type: 'user', identifier: '*' },
        ],
      }),
  ],
  [
    'authorization_details with unknown conditions',
    ({ saying }) =>
      saying({
        authorization_details: [
          {
            type: 'scope_access',
            token_type: 'developer',
            scopes: ['models:read'],
            locations: ['https://elsewhere.example'],
          },
        ],
      }),
  ],
  ['invalid methods', ({ saying }) => saying({ methods: [] })],
  ['a cnf of a certificate', ({ saying }) => saying({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
  ['a cnf with more than a thumbprint', ({ saying }) => saying({ cnf: { jkt: 'A'.repeat(43), jwk: {} } })],
  ['a cnf with an invalid thumbprint', ({ saying }) => saying({ cnf: { jkt: 'short' } })],
  ['a cnf of null', ({ saying }) => saying({ cnf: null })],
  ['a cnf and no proof', ({ saying }) => saying({ cnf: { jkt: 'A'.repeat(43) } })],
  // A token has one spelling.
  ['padding', ({ good }) => `${good}==`],
  [
    'unused bits at the end of the signature',
    ({ head, body, signature }) => [head, body, withBitsAtTheEnd(signature)].join('.'),
  ],
  ['the other base64 alphabet', ({ head, body, signature }) => [head, body, `${signature.slice(0, -1)}+`].join('.')],
  [
    'white space inside the signature',
    ({ head, body, signature }) => [head, body, `${signature.slice(0, 9)}\n${signature.slice(9)}`].join('.'),
  ],
  ['a cut signature', ({ good }) => good.slice(0, -2)],
  ['a longer signature', ({ good }) => `${good}AAAA`],
  ['a header parameter twice', ({ honest, header }) => honest(JSON.stringify(header).replace('{', '{"alg":"none",'))],
  [
    'a claim twice',
    ({ honest, header, good }) => honest(header, JSON.stringify(claimsIn(good)).replace('{', '{"iss":"x",')),
  ],
  [
    'another payload under the signature',
    ({ crafted, header, good }) => crafted(header, { ...claimsIn(good), sub: 'eve', owner: 'eve' }),
  ],
  // Three parts, and never encrypted.
  ['four parts', ({ good }) => `${good}.AAAA`],
  ['five parts (a JWE)', ({ head, body, signature }) => [head, body, body, body, signature].join('.')],
  ['no signature', ({ head, body }) => `${head}.${body}.`],
  ['two parts', ({ head, body }) => `${head}.${body}`],
  ['the header of a JWE in three parts', ({ honest, header }) => honest({ ...header, enc: 'A256GCM' })],
];

describe('an access token', () => {
  it.each(FORGERIES)('with %s is refused', async (_, forge) => {
    const all = await arena();
    const token = await forge(all);
    expect(token).not.toBe(all.good);
    const jwks = await all.signed.jwks();
    const { postern: verifier } = createTestPostern({
      clock: all.clock,
      authenticators: [accessTokens.verifier({ issuer: AUTH, audience: API, jwks })],
    });
    for (const postern of [all.postern, verifier]) {
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
      // It has no effect on the good token.
      expect(verdict(await postern.authorize({ token: all.good, requirement }))).toBe('allowed');
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
    }
  });

  it('of more than 8 KiB is not read', async () => {
    const { saying, postern } = await arena();
    const token = await saying({ pad: 'x'.repeat(8000) });
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_malformed');
  });

  it('otherwise good and past its end is told as expired', async () => {
    const { saying, postern } = await arena();
    for (const exp of [NOW, NOW - 1, NOW - 0.001, 0, -1]) {
      expect(verdict(await postern.authorize({ token: await saying({ exp }), requirement })), String(exp)).toBe(
        'token_expired',
      );
    }
  });

  it('is judged the same with a polluted Object.prototype', async () => {
    const all = await arena();
    const narrow = await all.saying({
      authorization_details: [{ type: 'scope_access', token_type: 'developer', scopes: ['models:read'] }],
    });
    const bound = await all.saying({ cnf: { 'x5t#S256': 'A'.repeat(43) } });
    for (const member of [
      { typ: 'at+jwt' },
      { scopes: ['*'] },
      { endpoints: '*' },
      { jkt: 'A'.repeat(43) },
      { uid: 'x' },
      { methods: ['GET'] },
      { cnf: { jkt: 'A'.repeat(43) } },
      { nbf: NOW + 600 },
    ]) {
      const cold = issuerWorld({ keys: [all.ed, all.ec] }, { store: all.store, clock: all.clock });
      const ask = async (token: string, needed: object = requirement) =>
        verdict(await cold.postern.authorize({ token, requirement: needed as typeof requirement }));
      const answers = await polluted(member, async () => [
        await ask(narrow),
        await ask(narrow, { scope: 'models:write' }),
        await ask(narrow, { endpoint: 'summarizer' }),
        await ask(bound),
      ]);
      const expected = ['allowed', 'scope_missing', 'endpoint_not_granted', 'token_unknown'];
      expect(answers, Object.keys(member).join()).toEqual(expected);
    }
  });
});

it('a cnf is accepted only with exactly one thumbprint', () => {
  const context = { host: { store: memoryStore() } as unknown as AuthenticatorHost, token: 'x', origins: [API] };
  const jkt = 'A'.repeat(43);
  expect(bindingOf(undefined, context)).toEqual({ prove: null, confirmation: null });
  expect(bindingOf({ jkt }, context)).toEqual({ prove: expect.any(Function), confirmation: { jkt } });
  for (const cnf of [
    null,
    '',
    jkt,
    [],
    {},
    { jkt: 1 },
    { jkt: `${jkt}A` },
    { jkt, jwk: {} },
    { 'x5t#S256': jkt, jkt },
  ]) {
    expect(bindingOf(cnf, context), JSON.stringify(cnf)).toBe('refused');
  }
});
