import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, sign as nodeSign } from 'node:crypto';
import { exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { memoryStore } from 'postern';
import { accessTokens, generateKeys, type PrivateJwk, trustedIssuer } from 'postern/jwt';
import { createTestPostern } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { bindingOf } from '../../src/jwt/binding.js';
import type { AuthenticatorHost } from '../../src/ports/authenticator.js';
import { START, verdict } from '../support/outcomes.js';
import { polluted } from '../support/polluted.js';
import { API, AUTH, claimsIn, issueBoth, issuerWorld, resigned } from './support/access.js';
import { base64url } from './support/tokens.js';

const NOW = START / 1000;
const requirement = { scope: 'models:read' } as const;

/** An issuer with an EdDSA key that signs and an ES256 key that verifies, a good token, and functions that forge others. */
async function arena() {
  const [ed] = (await generateKeys()) as [PrivateJwk];
  const [ec] = (await generateKeys({ alg: 'ES256' })) as [PrivateJwk];
  const world = issuerWorld({ keys: [ed, ec] });
  const { token, record } = await issueBoth(world);
  const good = (await world.signed.exchange(world.postern, token)).accessToken;
  const [head, body, signature] = good.split('.') as [string, string, string];
  const header = { alg: 'EdDSA', typ: 'at+jwt', kid: ed.kid };
  const key = (await importJWK(ed as unknown as JWK, 'EdDSA')) as CryptoKey;
  const nodeKey = createPrivateKey({ key: ed as never, format: 'jwk' });
  const { privateKey: strangers } = await generateKeyPair('EdDSA', { crv: 'Ed25519' });
  return {
    ...world,
    token,
    record,
    good,
    head,
    body,
    signature,
    header,
    ed,
    ec,
    strangers,
    /** Signed with the issuer's own key, with wrong claims or headers. */
    saying: (claims: object, changed: object = {}) => resigned(good, key, claims, { ...header, ...changed }),
    /** Signed with a stranger's key, by default under the issuer's kid. */
    forged: (claims: object = {}, changed: object = {}) => resigned(good, strangers, claims, { ...header, ...changed }),
    /** Signed with the issuer's own key under any header, which no library would sign. */
    honest: (changed: string | object, payload: string | object = claimsIn(good)) => {
      const input = `${base64url(changed)}.${base64url(payload)}`;
      return `${input}.${nodeSign(null, Buffer.from(input), nodeKey).toString('base64url')}`;
    },
    /** Made of raw parts. */
    crafted: (changed: string | object, payload: string | object = claimsIn(good), sig = signature) =>
      [base64url(changed), base64url(payload), sig].join('.'),
  };
}

type Arena = Awaited<ReturnType<typeof arena>>;

const hs256 = (input: string, secret: string | Uint8Array) =>
  createHmac('sha256', secret).update(input).digest('base64url');

function withHmac({ crafted, header }: Arena, secret: string | Uint8Array): string {
  const input = crafted({ ...header, alg: 'HS256' })
    .split('.')
    .slice(0, 2)
    .join('.');
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
      const input = crafted({ ...header, alg: 'ES256', kid: ec.kid })
        .split('.')
        .slice(0, 2)
        .join('.');
      const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return `${input}.${nodeSign('sha256', Buffer.from(input), privateKey).toString('base64url')}`;
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
      const input = crafted({ ...header, jwk, kid: undefined })
        .split('.')
        .slice(0, 2)
        .join('.');
      return `${input}.${nodeSign(null, Buffer.from(input), privateKey).toString('base64url')}`;
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

it('the JWKS of an issuer has only the public members of its keys', async () => {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { signed } = issuerWorld({ keys: [await exportJWK(privateKey)] });
  for (const jwk of (await signed.jwks()).keys)
    expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'kid', 'alg', 'use']);
});
