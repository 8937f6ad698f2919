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

/** An issuer with an EdDSA key that signs and an ES256 key that verifies, a good token, and the means to forge others. */
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
    /** Signed with the issuer's own key: only what it says is wrong. */
    saying: (claims: object, changed: object = {}) => resigned(good, key, claims, { ...header, ...changed }),
    /** With a stranger's key, under the issuer's kid unless another is given. */
    forged: (claims: object = {}, changed: object = {}) => resigned(good, strangers, claims, { ...header, ...changed }),
    /** Signed with the issuer's own key, whatever the header is: no library would sign it. */
    honest: (changed: string | object, payload: string | object = claimsIn(good)) => {
      const input = `${base64url(changed)}.${base64url(payload)}`;
      return `${input}.${nodeSign(null, Buffer.from(input), nodeKey).toString('base64url')}`;
    },
    /** From parts as they are. */
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
  // Item 11: the algorithm is not the token's choice.
  ['alg none, without a signature', ({ crafted, header }) => crafted({ ...header, alg: 'none' }, undefined, '')],
  ['alg none, with a signature', ({ crafted, header }) => crafted({ ...header, alg: 'none' })],
  ['alg NONE', ({ crafted, header }) => crafted({ ...header, alg: 'NONE' })],
  ['HS256 with the public key as its secret', (all) => withHmac(all, pem(all.ed))],
  ['HS256 with the public JWK’s bytes as its secret', (all) => withHmac(all, Buffer.from(all.ed.x, 'base64url'))],
  ['HS256 with an empty secret', (all) => withHmac(all, '')],
  ['alg with a space before it', ({ honest, header }) => honest({ ...header, alg: ' EdDSA' })],
  ['alg with a line after it', ({ honest, header }) => honest({ ...header, alg: 'EdDSA\n' })],
  ['alg in a list', ({ honest, header }) => honest({ ...header, alg: ['EdDSA'] })],
  ['no alg', ({ honest, ed }) => honest({ typ: 'at+jwt', kid: ed.kid })],
  ['an algorithm that does not fit the key', ({ crafted, header }) => crafted({ ...header, alg: 'ES256' })],
  ['the key’s algorithm by its other name', ({ honest, header }) => honest({ ...header, alg: 'Ed25519' })],
  [
    'RS256 under the kid of another key',
    async ({ good, header }) => {
      const { privateKey } = await generateKeyPair('RS256');
      return resigned(good, privateKey, {}, { ...header, alg: 'RS256' });
    },
  ],
  [
    'ES256 in the DER form of other libraries',
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
    'ES256 with a signature of zeros',
    ({ crafted, header, ec }) => crafted({ ...header, alg: 'ES256', kid: ec.kid }, undefined, 'A'.repeat(86)),
  ],
  // Whose key it is.
  ['a stranger’s signature', ({ forged }) => forged()],
  ['a stranger’s signature, expired', ({ forged }) => forged({ exp: NOW - 60 })],
  ['a stranger’s key under its own kid', ({ forged }) => forged({}, { kid: 'mine' })],
  ['the kid of the other key', ({ saying, ec }) => saying({}, { kid: ec.kid })],
  ['no kid', ({ saying }) => saying({}, { kid: undefined })],
  ['an empty kid', ({ saying }) => saying({}, { kid: '' })],
  ['a kid that is no text', ({ honest, header }) => honest({ ...header, kid: 1 })],
  ['a kid that is a path', ({ forged }) => forged({}, { kid: '../../dev/null' })],
  ['a kid that every object has', ({ forged }) => forged({}, { kid: '__proto__' })],
  ['a kid that is very long', ({ forged }) => forged({}, { kid: 'k'.repeat(4000) })],
  // Item 15: no key from the token.
  [
    'a key of its own in the header',
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
  ['jwk, even of the issuer', ({ saying, ed: { kty, crv, x } }) => saying({}, { jwk: { kty, crv, x } })],
  // Item 12: extensions, and what the token is for.
  ['crit', ({ honest, header }) => honest({ ...header, crit: ['exp'] })],
  ['an empty crit', ({ honest, header }) => honest({ ...header, crit: [] })],
  ['b64', ({ honest, header }) => honest({ ...header, b64: true })],
  ['no typ', ({ saying }) => saying({}, { typ: undefined })],
  ['typ JWT: an ID token, say', ({ saying }) => saying({}, { typ: 'JWT' })],
  ['typ of a proof', ({ saying }) => saying({}, { typ: 'dpop+jwt' })],
  ['typ of a derived token', ({ saying }) => saying({}, { typ: 'derived+jwt' })],
  ['typ that begins as it should', ({ saying }) => saying({}, { typ: 'at+jwt; v=1' })],
  ['no iss', ({ saying }) => saying({ iss: undefined })],
  ['iss in a list', ({ saying }) => saying({ iss: [AUTH] })],
  ['iss with a slash at its end', ({ saying }) => saying({ iss: `${AUTH}/` })],
  ['iss in capitals', ({ saying }) => saying({ iss: AUTH.toUpperCase() })],
  ['no aud', ({ saying }) => saying({ aud: undefined })],
  ['another aud', ({ saying }) => saying({ aud: 'https://other.example' })],
  ['aud that begins as it should', ({ saying }) => saying({ aud: `${API}.evil.example` })],
  ['an empty list as aud', ({ saying }) => saying({ aud: [] })],
  ['aud that is an object', ({ saying }) => saying({ aud: { [API]: API } })],
  ['aud with something else in the list', ({ saying }) => saying({ aud: [API, 7] })],
  ['no exp', ({ saying }) => saying({ exp: undefined })],
  ['exp as a text', ({ saying }) => saying({ exp: String(NOW + 600) })],
  ['exp of null', ({ saying }) => saying({ exp: null })],
  ['exp beyond all time', ({ saying }) => saying({ exp: 1e300 })],
  ['no iat', ({ saying }) => saying({ iat: undefined })],
  ['iat from more than five seconds on', ({ saying }) => saying({ iat: NOW + 6 })],
  ['nbf from more than five seconds on', ({ saying }) => saying({ nbf: NOW + 6 })],
  ['nbf as a text', ({ saying }) => saying({ nbf: '0' })],
  ['no sub', ({ saying }) => saying({ sub: undefined })],
  ['an empty sub', ({ saying }) => saying({ sub: '' })],
  ['sub of another than owner', ({ saying }) => saying({ sub: 'eve' })],
  ['no jti', ({ saying }) => saying({ jti: undefined })],
  ['no client_id', ({ saying }) => saying({ client_id: undefined })],
  ['no organization', ({ saying }) => saying({ organization: undefined })],
  ['an organization that is all of them', ({ saying }) => saying({ organization: '*' })],
  ['an ownership that there is not', ({ saying }) => saying({ ownership: 'everyone' })],
  ['no authorization_details', ({ saying }) => saying({ authorization_details: undefined })],
  ['empty authorization_details', ({ saying }) => saying({ authorization_details: [] })],
  [
    'authorization_details that are no list',
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
    'authorization_details with conditions that are not known here',
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
  ['methods that are none', ({ saying }) => saying({ methods: [] })],
  ['cnf by a certificate', ({ saying }) => saying({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
  ['cnf with more than a thumbprint', ({ saying }) => saying({ cnf: { jkt: 'A'.repeat(43), jwk: {} } })],
  ['cnf with a thumbprint that is none', ({ saying }) => saying({ cnf: { jkt: 'short' } })],
  ['cnf of null', ({ saying }) => saying({ cnf: null })],
  ['cnf that it has no proof for', ({ saying }) => saying({ cnf: { jkt: 'A'.repeat(43) } })],
  // Item 13: a token has one spelling.
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
  ['a signature that is cut', ({ good }) => good.slice(0, -2)],
  ['a signature that goes on', ({ good }) => `${good}AAAA`],
  [
    'a header parameter that stands twice',
    ({ honest, header }) => honest(JSON.stringify(header).replace('{', '{"alg":"none",')),
  ],
  [
    'a claim that stands twice',
    ({ honest, header, good }) => honest(header, JSON.stringify(claimsIn(good)).replace('{', '{"iss":"x",')),
  ],
  [
    'another payload under the signature',
    ({ crafted, header, good }) => crafted(header, { ...claimsIn(good), sub: 'eve', owner: 'eve' }),
  ],
  // Item 14.
  ['four parts', ({ good }) => `${good}.AAAA`],
  ['five parts: JWE', ({ head, body, signature }) => [head, body, body, body, signature].join('.')],
  ['no signature', ({ head, body }) => `${head}.${body}.`],
  ['two parts', ({ head, body }) => `${head}.${body}`],
  ['the header of a JWE in three parts', ({ honest, header }) => honest({ ...header, enc: 'A256GCM' })],
];

describe('an access token with', () => {
  it.each(FORGERIES)('%s is nobody’s', async (_, forge) => {
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
      // And leaves no trace: the good one is good before and after.
      expect(verdict(await postern.authorize({ token: all.good, requirement }))).toBe('allowed');
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_unknown');
    }
  });

  it('more than 8 KiB is not even read', async () => {
    const { saying, postern } = await arena();
    const token = await saying({ pad: 'x'.repeat(8000) });
    expect(verdict(await postern.authorize({ token, requirement }))).toBe('token_malformed');
  });

  it('an end that is over has expired: only one that was good is told so', async () => {
    const { saying, postern } = await arena();
    for (const exp of [NOW, NOW - 1, NOW - 0.001, 0, -1]) {
      expect(verdict(await postern.authorize({ token: await saying({ exp }), requirement })), String(exp)).toBe(
        'token_expired',
      );
    }
  });

  it('nothing wrong is good, by whatever it was signed', async () => {
    const { honest, saying, header, postern } = await arena();
    for (const token of [honest(header), await saying({})]) {
      expect(verdict(await postern.authorize({ token, requirement }))).toBe('allowed');
    }
  });

  it.each<[string, object, object]>([
    ['typ in full, in capitals', {}, { typ: 'Application/AT+JWT' }],
    ['several audiences, one of them ours', { aud: ['https://other.example', API] }, {}],
    ['iat five seconds ahead', { iat: NOW + 5 }, {}],
    ['nbf five seconds ahead', { nbf: NOW + 5 }, {}],
    ['an end in parts of a second', { exp: NOW + 0.5 }, {}],
    ['a claim that is not known here', { email: 'zoe@example' }, {}],
    ['claims that are named as a prototype’s members', { constructor: 1, hasOwnProperty: 2 }, {}],
  ])('%s is good', async (_, claims, header) => {
    const { saying, postern } = await arena();
    expect(verdict(await postern.authorize({ token: await saying(claims, header), requirement }))).toBe('allowed');
  });

  it('grants of a later version grants what is known, and nothing for the rest', async () => {
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

  it('is judged the same while Object.prototype is polluted', async () => {
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

it('of another typ is left to who accepts that: an issuer may have tokens of several kinds', async () => {
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

it('cnf is understood as a thumbprint alone, or not at all', () => {
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

it('a JWK that is exported has no more than it should', async () => {
  const { privateKey } = await generateKeyPair('EdDSA', { crv: 'Ed25519', extractable: true });
  const { signed } = issuerWorld({ keys: [await exportJWK(privateKey)] });
  for (const jwk of (await signed.jwks()).keys)
    expect(Object.keys(jwk)).toEqual(['kty', 'crv', 'x', 'kid', 'alg', 'use']);
});
