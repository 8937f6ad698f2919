import { createHash, generateKeyPairSync, sign as nodeSign } from 'node:crypto';
import { memoryStore } from 'postern';
import { controlledStore, createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { derivingWorld, forge, json } from '../support/derived.js';
import { START, verdict } from '../support/outcomes.js';

const HOUR = 3_600_000;

describe('a forged derived token', () => {
  const now = START / 1000;
  const good = { jti: 'x', iat: now, exp: now + 60 };
  const headerOf = (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}"}`;

  async function forgers() {
    const made = await derivingWorld();
    const kid = json((await made.narrow()).split('.')[0]).kid as string;
    return { ...made, kid };
  }

  test('with nothing wrong is allowed, so each refusal below has only its one fault', async () => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, headerOf(kid), good), { authenticated: true })).toBe('allowed');
  });

  test.each([
    ['no exp', { jti: 'x', iat: now }],
    ['no iat', { jti: 'x', exp: now + 60 }],
    ['no jti', { iat: now, exp: now + 60 }],
    ['an exp that is a text', { ...good, exp: String(now + 60) }],
    ['an exp beyond all dates', { ...good, exp: now + 60.5 }],
    ['an exp beyond all dates', { ...good, exp: 1e300 }],
    ['an iat beyond the tolerance', { ...good, iat: now + 6 }],
    ['an unknown claim', { ...good, cnf: { jkt: 'x' } }],
    ['scopes as a list', { ...good, scope: ['models:read'] }],
    ['endpoints as a text', { ...good, endpoints: 'summarizer' }],
    ['endpoints that are not ids', { ...good, endpoints: ['../x'] }],
    ['methods as a text', { ...good, methods: 'GET' }],
    ['a list of claims', [good]],
    ['null as claims', null],
  ])('with %s is refused', async (_, claims) => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, headerOf(kid), claims), { authenticated: true })).toBe('token_unknown');
  });

  test('may have an iat within the tolerance, and is expired at its exp', async () => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, headerOf(kid), { ...good, iat: now + 5 }), { authenticated: true })).toBe('allowed');
    expect(await ask(forge(token, headerOf(kid), { ...good, exp: now }), { authenticated: true })).toBe(
      'token_expired',
    );
  });

  test.each([
    ['another alg', (kid: string) => `{"alg":"none","typ":"derived+jwt","kid":"${kid}"}`],
    ['another typ', (kid: string) => `{"alg":"EdDSA","typ":"at+jwt","kid":"${kid}"}`],
    ['another order of fields', (kid: string) => `{"typ":"derived+jwt","alg":"EdDSA","kid":"${kid}"}`],
    ['a crit', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}","crit":["x"]}`],
    ['a jwk', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}","jwk":{}}`],
    ['white space', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}" }`],
    ['a kid twice', (kid: string) => `{"alg":"EdDSA","typ":"derived+jwt","kid":"${kid}","kid":"${kid}"}`],
    ['an invalid kid', () => '{"alg":"EdDSA","typ":"derived+jwt","kid":"x"}'],
  ])('whose header has %s is refused', async (_, header) => {
    const { ask, token, kid } = await forgers();
    expect(await ask(forge(token, header(kid), good), { authenticated: true })).toBe('token_unknown');
  });

  test('with the signature of another key, or an unknown kid, is refused', async () => {
    const { ask, token, kid, postern } = await forgers();
    const other = await postern.tokens.create({ name: 'other', types: { developer: { scopes: ['*'] } } });
    expect(await ask(forge(other.token, headerOf(kid), good), { authenticated: true })).toBe('token_unknown');
    const nobody = Buffer.alloc(32, 7).toString('base64url');
    expect(await ask(forge(token, headerOf(nobody), good), { authenticated: true })).toBe('token_unknown');
  });

  test('that is an alias of a good one (padding, white space, unused bits, more parts) is refused', async () => {
    const { ask, narrow } = await forgers();
    const token = await narrow();
    const last = token.at(-1) as string;
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    // 64 bytes leave 4 bits of the last character unused.
    const alias = token.slice(0, -1) + alphabet[alphabet.indexOf(last) + 1];
    expect(Buffer.from(alias.split('.')[2] as string, 'base64url')).toEqual(
      Buffer.from(token.split('.')[2] as string, 'base64url'),
    );
    for (const each of [alias, `${token}=`, `${token}==`, `${token}.`, `${token}.x`, `${token}\n`]) {
      expect(await ask(each, { authenticated: true })).toBe('token_unknown');
    }
  });

  test('with wide characters of the same low bytes is refused', async () => {
    const { ask, narrow } = await forgers();
    const token = await narrow();
    expect(await ask(token, { authenticated: true })).toBe('allowed');
    const twin = String.fromCharCode(token.charCodeAt(0) + 256) + token.slice(1);
    expect(await ask(twin, { authenticated: true })).toBe('token_unknown');
    const inside = token.slice(0, 100) + String.fromCharCode(token.charCodeAt(100) + 256) + token.slice(101);
    expect(await ask(inside, { authenticated: true })).toBe('token_unknown');
  });

  test('is refused if its key was put into the store without the pepper', async () => {
    const store = memoryStore();
    const { postern } = createTestPostern({ store, pepper: 'a pepper of 32 characters, or so' });
    const { record } = await postern.tokens.create({ name: 'x', types: { developer: { scopes: ['*'] } } });
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const x = publicKey.export({ format: 'jwk' }).x as string;
    const thumbprint = createHash('sha256').update(`{"crv":"Ed25519","kty":"OKP","x":"${x}"}`).digest();
    const token = await store.findToken(record.id);
    if (token === null) throw new Error('no token');
    const secret = { digest: 'a'.repeat(64), pepper: null, createdAt: START, endsAt: null };
    const change = {
      id: 'c'.repeat(22),
      type: 'token.rotated',
      at: START,
      actor: { kind: 'application' },
      from: null,
      organization: 'default',
      subject: record.id,
      before: null,
      after: null,
    } as const;
    const key = { id: thumbprint.toString('hex'), publicKey: x };
    expect(
      await store.replaceToken(
        { ...token, version: 2 },
        1,
        { secret: { ...secret, key }, othersEndAt: START + HOUR, at: START },
        change,
      ),
    ).toBe(true);
    const signed = [headerOf(thumbprint.toString('base64url')), JSON.stringify(good)]
      .map((part) => Buffer.from(part).toString('base64url'))
      .join('.');
    const forged = `${signed}.${nodeSign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    expect(verdict(await postern.authorize({ token: forged, requirement: { authenticated: true } }))).toBe(
      'token_unknown',
    );
  });

  test('is an internal error if the public key was changed in the store', async () => {
    const store = controlledStore();
    const { narrow, ask, postern } = await derivingWorld({ store, pepper: 'a pepper of 32 characters, or so' });
    const token = await narrow();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const x = publicKey.export({ format: 'jwk' }).x as string;
    store.answer('findTokenByKeyId', (real) => ({ ...(real as object), publicKey: x }));
    const [header] = token.split('.');
    const signed = `${header}.${Buffer.from(JSON.stringify(good)).toString('base64url')}`;
    const forged = `${signed}.${nodeSign(null, Buffer.from(signed), privateKey).toString('base64url')}`;
    expect(await ask(forged, { authenticated: true })).toBe('internal_error');
    expect((await postern.authenticate(forged)).ok).toBe(false);
  });
});
