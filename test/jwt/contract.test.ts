import { createHash } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import { memoryStore } from 'postern';
import { accessTokens, derive, generateKeys, trustedIssuer } from 'postern/jwt';
import { createTestPostern, testClock } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { createDigester, hash } from '../../src/base/digest.js';
import { decodeBase64url } from '../../src/domain/base64url.js';
import { refusal, START, thrown, verdict } from '../support/outcomes.js';
import { claimsIn, ENCRYPTION_KEY, issueBoth, issuerWorld } from './support/access.js';
import { AUDIENCE, ISSUER, issuerKey, signed as signedBy } from './support/tokens.js';

const requirement = { scope: 'models:read' } as const;
const MINUTE = 60_000;

async function headerOf(token: string): Promise<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[0] as string, 'base64url').toString());
}

describe('the contract of signed tokens', () => {
  test('exchanged, derived and foreign tokens work as documented', async () => {
    const idp = await issuerKey('ES256');
    const clock = testClock();
    const [issuer, audience, jwks] = [ISSUER, AUDIENCE, { keys: [idp.jwk] }];
    const principal = (claims: { sub: string }) => ({
      owner: claims.sub,
      types: { developer: { scopes: ['models:read'] } },
    });
    const store = memoryStore();
    const keys = await generateKeys({ alg: 'EdDSA' });

    const signed = accessTokens({ issuer: 'https://auth.acme.dev', audience: 'https://api.acme.dev', keys });
    const { postern } = createTestPostern({
      store,
      authenticators: [signed, trustedIssuer({ issuer, audience, jwks, principal })],
      clock,
    });

    const { token: apiToken } = await issueBoth({ postern });
    const { accessToken, expiresAt } = await signed.exchange(postern, apiToken, {
      scopes: ['models:read'],
      expiresIn: '10m',
    });
    expect((await signed.jwks()).keys).toEqual([
      { kty: 'OKP', crv: 'Ed25519', x: keys[0]?.x, kid: keys[0]?.kid, alg: 'EdDSA', use: 'sig' },
    ]);
    const narrow = await derive(apiToken, {
      scopes: ['models:read'],
      endpoints: ['summarizer'],
      expiresIn: '5m',
      clock: clock.now,
    });

    const ask = async (token: string, needed: object = requirement) =>
      verdict(await postern.authorize({ token, requirement: needed as typeof requirement }));
    expect(expiresAt).toEqual(new Date(clock.now() + 600_000));
    const foreign = await signedBy(idp);
    for (const token of [accessToken, narrow, foreign]) {
      expect([await ask(token), await ask(token, { scope: 'models:write' })]).toEqual(['allowed', 'scope_missing']);
    }
    expect(await ask(narrow, { endpoint: 'summarizer' })).toBe('allowed');
    expect(await ask(accessToken, { endpoint: 'summarizer' })).toBe('endpoint_not_granted');
  });

  test('issuer, audience and encryption key are required', async () => {
    const keys = await generateKeys();
    const principal = () => null;
    const jwks = { keys: [(await issuerKey('ES256')).jwk] };
    for (const name of ['issuer', 'audience'] as const) {
      const { [name]: _, ...rest } = { issuer: ISSUER, audience: AUDIENCE };
      const makers = [
        () => accessTokens({ ...rest, keys } as never),
        () => accessTokens.verifier({ ...rest, jwks } as never),
        () => trustedIssuer({ ...rest, jwks, principal } as never),
      ];
      for (const make of makers) expect(thrown(make)).toMatchObject({ code: 'option_invalid', path: name });
    }
    // The encryption key of stored keys is required too.
    expect(thrown(() => accessTokens({ issuer: ISSUER, audience: AUDIENCE }))).toMatchObject({
      code: 'option_invalid',
      path: 'encryptionKey',
    });
  });

  test('stored keys serve every process with the same store and encryption key, and no other', async () => {
    const store = memoryStore();
    const clock = testClock();
    const [one, two] = [issuerWorld({}, { store, clock }), issuerWorld({}, { store, clock })];
    const { token } = await issueBoth(one);
    const { accessToken } = await one.signed.exchange(one.postern, token);
    expect(verdict(await two.postern.authorize({ token: accessToken, requirement }))).toBe('allowed');
    const other = issuerWorld({ encryptionKey: `${ENCRYPTION_KEY}, and another one` }, { store, clock });
    expect(verdict(await other.postern.authorize({ token: accessToken, requirement }))).toBe('unavailable');
  });

  test('an exchange takes an API token or a derived one, no access token, and no grant that is not held', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    const { token } = await issueBoth(world);
    await postern.endpoints.create({ id: 'other', access: 'protected' });
    const derived = await derive(token, { scopes: ['models:read'], clock: clock.now });
    const { accessToken } = await signed.exchange(postern, derived);
    expect(await refusal(signed.exchange(postern, accessToken))).toMatchObject({
      code: 'input_invalid',
      path: 'subjectToken',
    });
    for (const [subject, asked, code] of [
      [token, { scopes: ['cluster:read'] }, 'scope_missing'],
      [token, { endpoints: ['other'] }, 'endpoint_not_granted'],
      [token, { endpoints: '*' }, 'endpoint_not_granted'],
      [derived, { scopes: ['models:write'] }, 'scope_missing'],
      [derived, { endpoints: ['summarizer'] }, 'endpoint_not_granted'],
    ] as const) {
      expect(await refusal(signed.exchange(postern, subject, asked as never))).toMatchObject({ code });
    }
  });

  test('an exchanged token ends with its subject at the latest', async () => {
    const world = issuerWorld();
    const { postern, signed, clock } = world;
    const { token } = await issueBoth(world, { expiresIn: '3m' });
    const derived = await derive(token, { expiresIn: '2m', clock: clock.now });
    const ends = [];
    for (const subject of [token, derived]) {
      const { accessToken } = await signed.exchange(postern, subject, { expiresIn: '1h' });
      ends.push((claimsIn(accessToken).exp as number) * 1000 - START);
    }
    expect(ends).toEqual([3 * MINUTE, 2 * MINUTE]);
  });

  test('the store keeps the public key of each live secret under the thumbprint that is the kid', async () => {
    const { postern, store, clock } = createTestPostern();
    const { token, record } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    const { token: next } = await postern.tokens.rotate(record.id, { grace: '1h' });
    const found = [];
    for (const each of [token, next]) {
      const { kid } = await headerOf(await derive(each, { clock: clock.now }));
      const thumbprint = Buffer.from(decodeBase64url(kid as string) as Uint8Array).toString('latin1');
      const row = await store.findTokenByKeyId(createDigester([]).candidates(thumbprint));
      expect(row?.token.id).toBe(record.id);
      expect(await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: row?.publicKey as string })).toBe(kid);
      found.push(row?.publicKey);
    }
    expect(new Set(found).size).toBe(2);
  });

  test('a derived token is judged at each use, ends with its parent, and can not be derived from', async () => {
    // Every instance verifies derived tokens, also one without authenticators.
    const { postern, clock } = createTestPostern();
    const create = () =>
      postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['models:read', 'bentos:read'] } } });
    const { token, record } = await create();
    const derived = await derive(token, { scopes: ['models:write', 'bentos:read'], clock: clock.now });
    const ask = async (scope: 'models:read' | 'bentos:read') =>
      verdict(await postern.authorize({ token: derived, requirement: { scope } }));
    expect([await ask('models:read'), await ask('bentos:read')]).toEqual(['allowed', 'allowed']);
    await postern.tokens.update(record.id, { types: { developer: { scopes: ['models:read'] } } });
    expect([await ask('models:read'), await ask('bentos:read')]).toEqual(['allowed', 'scope_missing']);
    expect(await refusal(derive(derived))).toMatchObject({ code: 'input_invalid', path: 'apiToken' });
    await postern.tokens.revoke(record.id);
    expect(await ask('models:read')).toBe('token_revoked');
    const second = await create();
    const other = await derive(second.token, { clock: clock.now });
    await postern.tokens.delete(second.record.id);
    expect(verdict(await postern.authorize({ token: other, requirement }))).toBe('token_unknown');
  });

  test('an imported token can not be derived from until it is rotated', async () => {
    const foreign = `pst_${'a'.repeat(48)}1`;
    const { postern, clock } = createTestPostern({ importedTokens: [{ pattern: /^pst_a{48}1$/ }] });
    const record = await postern.tokens.import({
      name: 'old',
      digest: createHash('sha256').update(foreign).digest('hex'),
      types: { developer: { scopes: ['models:read'] } },
    });
    expect(await refusal(derive(foreign))).toMatchObject({ code: 'input_invalid' });
    const { token } = await postern.tokens.rotate(record.id);
    const derived = await derive(token, { clock: clock.now });
    expect(verdict(await postern.authorize({ token: derived, requirement }))).toBe('allowed');
  });
});

describe('docs/signed-tokens.md', () => {
  test('is right that scopes alone reach no endpoint, endpoints alone have no scope, and neither means all', async () => {
    const { postern, clock } = createTestPostern();
    const { token } = await issueBoth({ postern } as never);
    const shown = [];
    for (const asked of [{ scopes: ['models:read'] }, { endpoints: ['summarizer'] }, {}]) {
      const found = await postern.authenticate(await derive(token, { ...asked, clock: clock.now }));
      shown.push(found.ok && [found.principal.grants.scopes.length > 0, found.principal.grants.endpoints]);
    }
    expect(shown).toEqual([
      [true, []],
      [false, ['summarizer']],
      [true, ['summarizer']],
    ]);
  });
});

describe('docs/derived-tokens.md', () => {
  test('describes the HMACs of the seed, and neither half finds the token in the store', async () => {
    const { derivedKeyOf } = await import('../../src/base/derived-key.js');
    const { createHmac } = await import('node:crypto');
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    const prk = createHmac('sha256', Buffer.alloc(32)).update(token).digest();
    const seed = createHmac('sha256', prk)
      .update('postern derived token, Ed25519 seed, version 1')
      .update(Uint8Array.of(1))
      .digest('base64url');
    const key = await derivedKeyOf(token);
    expect(key?.d).toBe(seed);
    const digest = Buffer.from(hash(token), 'latin1').toString('base64url');
    expect([seed, key?.x, key?.kid]).not.toContain(digest);
  });

  test('describes the header byte for byte, and the claims by name', async () => {
    const { postern } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    const all = await derive(token, { scopes: ['models:read'], endpoints: '*', methods: ['GET'] });
    const [header, payload] = all.split('.').map((part) => Buffer.from(part, 'base64url').toString());
    expect(header).toMatch(/^\{"alg":"EdDSA","typ":"derived\+jwt","kid":"[A-Za-z0-9_-]{43}"\}$/);
    expect(Object.keys(JSON.parse(payload as string))).toEqual(['jti', 'iat', 'exp', 'scope', 'endpoints', 'methods']);
  });

  test('is right that an iat ahead of the clock and an invalid form cost no read', async () => {
    const { postern, clock, store } = createTestPostern();
    const { token } = await postern.tokens.create({ name: 'ci', types: { developer: { scopes: ['*'] } } });
    const early = await derive(token, { clock: () => clock.now() + 6_000 });
    const before = store.count();
    for (const each of [early, `${early}=`, early.slice(0, -1)]) {
      expect(verdict(await postern.authorize({ token: each, requirement }))).toBe('token_unknown');
    }
    expect(store.count()).toBe(before);
    clock.advance(1_000);
    expect(verdict(await postern.authorize({ token: early, requirement }))).toBe('allowed');
  });
});
