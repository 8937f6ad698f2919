import { generateKeyPairSync } from 'node:crypto';
import type { JWK } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { ALGORITHMS, fits, type SignatureAlgorithm } from '../../src/jwt/algorithms.js';
import { readCompact } from '../../src/jwt/compact.js';
import { localKeys } from '../../src/jwt/local-keys.js';
import { checkClaims, expiryOf, verifySignature } from '../../src/jwt/verify.js';
import { START } from '../support/outcomes.js';
import { AUDIENCE, CLAIMS, ISSUER, issuerKey, signed } from './support/tokens.js';

const RULES = { issuer: ISSUER, audience: AUDIENCE, now: START, tolerance: 5_000 };
const NOW = START / 1000;

async function isGood(token: string, jwks: readonly unknown[], algorithms: readonly SignatureAlgorithm[] = ALGORITHMS) {
  const jws = readCompact(token);
  if (jws === null) throw new Error('this token is not taken apart');
  return verifySignature(jws, localKeys({ keys: jwks as object[] }, algorithms));
}

describe('the keys of a local set', () => {
  it('are given without a promise once they are imported, and only under their own name and algorithm', async () => {
    const key = await issuerKey('ES256', 'one');
    const twin = await issuerKey('ES256', 'two');
    const keys = localKeys({ keys: [key.jwk, twin.jwk, { ...twin.jwk, kid: 'bad', x: 'AAAA' }] }, ['ES256', 'EdDSA']);
    const named = { alg: 'ES256', kid: 'one' };
    const [first, concurrent] = [keys.find(named), keys.find(named)];
    expect([first, concurrent]).toEqual([expect.any(Promise), expect.any(Promise)]);
    const imported = await first;
    expect(imported).toBeInstanceOf(CryptoKey);
    expect(await concurrent).toBe(imported);
    expect(keys.find(named)).toBe(imported);
    expect(await keys.find({ alg: 'ES256', kid: 'two' })).not.toBe(imported);
    expect(await keys.find({ alg: 'ES256', kid: 'bad' })).toBeNull();
    expect(keys.find({ alg: 'ES256', kid: 'bad' })).toBeNull();
    for (const [alg, kid] of [
      ['EdDSA', 'one'],
      ['ES384', 'one'],
      ['ES256', 'three'],
      ['ES256 one', null],
    ] as const) {
      expect(keys.find({ alg, kid })).toBeNull();
    }
    const unnamed = await keys.find({ alg: 'ES256', kid: null });
    expect(unnamed).toHaveLength(2);
    expect(keys.find({ alg: 'ES256', kid: null })).toBe(unnamed);
  });
});

describe('checkClaims', () => {
  it('accepts a good token, for one audience or several', () => {
    expect(checkClaims(CLAIMS, RULES)).toBeNull();
    expect(checkClaims({ ...CLAIMS, aud: ['https://other.example', AUDIENCE] }, RULES)).toBeNull();
    expect(checkClaims(CLAIMS, { ...RULES, audience: ['https://other.example', AUDIENCE] })).toBeNull();
  });

  it.each<[string, object]>([
    ['no iss', { iss: undefined }],
    ['another iss', { iss: 'https://evil.example' }],
    ['an iss with one more slash', { iss: `${ISSUER}/` }],
    ['a list as iss', { iss: [ISSUER] }],
    ['no aud', { aud: undefined }],
    ['another aud', { aud: 'https://other.example' }],
    ['an empty list as aud', { aud: [] }],
    ['an aud that only begins like ours', { aud: `${AUDIENCE}.evil.example` }],
    ['a number in a list of aud', { aud: [AUDIENCE, 1] }],
    ['an object as aud', { aud: { 0: AUDIENCE } }],
    ['no sub', { sub: undefined }],
    ['an empty sub', { sub: '' }],
    ['a number as sub', { sub: 7 }],
    ['no exp', { exp: undefined }],
    ['a text as exp', { exp: String(CLAIMS.exp) }],
    ['an exp of null', { exp: null }],
    ['an infinite exp', { exp: Number.POSITIVE_INFINITY }],
    ['an exp in milliseconds of the year 60000', { exp: 8.65e12 }],
    ['an iat in the future', { iat: NOW + 6 }],
    ['a text as iat', { iat: String(NOW) }],
    ['an nbf in the future', { nbf: NOW + 6 }],
    ['an nbf of null', { nbf: null }],
    ['a list as nbf', { nbf: [NOW] }],
    ['a number as jti', { jti: 1 }],
  ])('refuses %s', (_, claims) => {
    expect(checkClaims({ ...CLAIMS, ...claims }, RULES)).toBe('token_unknown');
  });

  it('accepts iat and nbf ahead by the tolerance', () => {
    expect(checkClaims({ ...CLAIMS, iat: NOW + 5, nbf: NOW + 5 }, RULES)).toBeNull();
  });

  it('reports a token as expired at its exp, plus the given tolerance', () => {
    const at = { ...CLAIMS, exp: NOW };
    expect(checkClaims(at, RULES)).toBe('token_expired');
    expect(checkClaims({ ...CLAIMS, exp: NOW + 0.001 }, RULES)).toBeNull();
    expect(checkClaims(at, { ...RULES, expiryTolerance: 5_000 })).toBeNull();
    expect(checkClaims({ ...CLAIMS, exp: NOW - 5 }, { ...RULES, expiryTolerance: 5_000 })).toBe('token_expired');
    expect(expiryOf(at)).toBe(START);
    expect(expiryOf(at, 5_000)).toBe(START + 5_000);
  });
});

describe('verifySignature', () => {
  it.each(ALGORITHMS)('accepts %s, and refuses a change of any bit', async (alg) => {
    const key = await issuerKey(alg);
    const token = await signed(key);
    expect(await isGood(token, [key.jwk])).toBe(true);
    const [head, body, signature] = token.split('.') as [string, string, string];
    const other = signature.startsWith('A') ? 'B' : 'A';
    expect(await isGood(`${head}.${body}.${other}${signature.slice(1)}`, [key.jwk])).toBe(false);
    const [, otherBody] = (await signed(key, { scope: 'models:write' })).split('.') as [string, string];
    expect(await isGood(`${head}.${otherBody}.${signature}`, [key.jwk])).toBe(false);
    const [otherHead] = (await signed(key, {}, { cty: 'x' })).split('.') as [string];
    expect(await isGood(`${otherHead}.${body}.${signature}`, [key.jwk])).toBe(false);
  });

  it('follows the list of algorithms, not the header', async () => {
    const key = await issuerKey('RS256');
    expect(await isGood(await signed(key), [key.jwk], ['ES256', 'PS256'])).toBe(false);
  });

  it('uses no key for another algorithm of the same type', async () => {
    const key = await issuerKey('RS256');
    const { alg: _, ...anyAlgorithm } = key.jwk;
    const asPss = await signed(await issuerKey('PS256', key.kid));
    expect(await isGood(asPss, [key.jwk])).toBe(false);
    expect(await isGood(await signed(key), [anyAlgorithm])).toBe(true);
    expect(await isGood(asPss, [anyAlgorithm])).toBe(false);
  });

  it('uses only the key named by the token', async () => {
    const key = await issuerKey('ES256', 'a');
    const token = await signed(key);
    expect(await isGood(token, [{ ...key.jwk, kid: 'b' }])).toBe(false);
    expect(await isGood(token, [{ ...key.jwk, kid: undefined }])).toBe(false);
  });

  it('tries the fitting keys if the token names none', async () => {
    const [first, second] = [await issuerKey('ES256', 'a'), await issuerKey('ES256', 'b')];
    const token = await signed(second, {}, { kid: undefined });
    expect(await isGood(token, [first.jwk, second.jwk])).toBe(true);
    expect(await isGood(token, [first.jwk])).toBe(false);
  });

  it('tries at most four keys of one name', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => issuerKey('EdDSA', 'same')));
    const jwks = keys.map(({ jwk }) => jwk);
    for (const [index, key] of keys.entries()) expect(await isGood(await signed(key), jwks)).toBe(index < 4);
  });

  it('skips unusable keys of a set', async () => {
    const key = await issuerKey('ES256', 'k');
    const broken: unknown[] = [
      null,
      7,
      'key',
      [],
      {},
      { kty: 'EC' },
      { ...key.jwk, x: 'AAAA' },
      { ...key.jwk, y: key.jwk.x },
    ];
    expect(await isGood(await signed(key), [...broken.slice(0, 6), key.jwk])).toBe(true);
    expect(await isGood(await signed(key), [...broken, key.jwk])).toBe(true);
    expect(localKeys({ keys: broken as object[] }, ALGORITHMS).size).toBe(2);
  });

  it('imports each key once', async () => {
    const key = await issuerKey('EdDSA');
    const keys = localKeys({ keys: [key.jwk] }, ALGORITHMS);
    const importing = vi.spyOn(crypto.subtle, 'importKey');
    const found = await Promise.all(Array.from({ length: 20 }, () => keys.find({ alg: 'EdDSA', kid: key.kid })));
    expect(importing).toHaveBeenCalledTimes(1);
    expect(new Set(found).size).toBe(1);
    importing.mockRestore();
  });

  it('tries at most four keys', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => issuerKey('EdDSA')));
    const found = await Promise.all(
      keys.map(({ jwk, kid }) => localKeys({ keys: [jwk] }, ALGORITHMS).find({ alg: 'EdDSA', kid })),
    );
    const all = { find: async () => found as CryptoKey[] };
    for (const [index, key] of keys.entries()) {
      const token = await signed(key);
      expect(await verifySignature(readCompact(token) as never, all)).toBe(index < 4);
    }
  });

  it('rejects as a fault if a key can not be read', async () => {
    const token = await signed(await issuerKey('EdDSA'));
    const jws = readCompact(token);
    const down = { find: () => Promise.reject(new Error('down')) };
    await expect(verifySignature(jws as never, down)).rejects.toThrow('down');
  });
});

describe('fits', async () => {
  const [ec, ed, rsa] = await Promise.all([issuerKey('ES256'), issuerKey('EdDSA'), issuerKey('RS256')]);
  const modulus = (modulusLength: number): JWK =>
    generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }) as JWK;

  it('accepts a public key of the type and curve', () => {
    expect([fits('ES256', ec.jwk), fits('EdDSA', ed.jwk), fits('RS256', rsa.jwk)]).toEqual([true, true, true]);
    expect(fits('Ed25519', { ...ed.jwk, alg: 'Ed25519' })).toBe(true);
    expect(fits('ES256', { ...ec.jwk, use: undefined, alg: undefined, key_ops: ['verify'] })).toBe(true);
  });

  it.each<[string, SignatureAlgorithm, unknown]>([
    ['another type', 'ES256', ed.jwk],
    ['another curve', 'ES384', { ...ec.jwk, alg: undefined }],
    ['an alg of its own that differs', 'ES256', { ...ec.jwk, alg: 'ES384' }],
    ['a key for encryption', 'ES256', { ...ec.jwk, use: 'enc' }],
    ['a list as use', 'ES256', { ...ec.jwk, use: ['sig'] }],
    ['a key that may only sign', 'ES256', { ...ec.jwk, key_ops: ['sign'] }],
    ['a text as key_ops', 'ES256', { ...ec.jwk, key_ops: 'verify' }],
    ['a private key', 'ES256', { ...ec.jwk, d: 'AAAA' }],
    ['a shared secret', 'RS256', { kty: 'oct', k: 'AAAA' }],
    ['a shared secret in a public key', 'RS256', { ...rsa.jwk, k: 'AAAA' }],
    ['a point without y', 'ES256', { ...ec.jwk, y: undefined }],
    ['a modulus of 1024 bits', 'RS256', modulus(1024)],
    ['a modulus of 2040 bits', 'RS256', modulus(2040)],
    ['a modulus of 1024 bits after zeros', 'RS256', { ...modulus(1024), n: `${'A'.repeat(200)}${modulus(1024).n}` }],
    ['a modulus that is not base64url', 'RS256', { ...rsa.jwk, n: `${rsa.jwk.n}=` }],
    ['a very long modulus', 'RS256', { ...rsa.jwk, n: '_'.repeat(4000) }],
    ['undefined', 'RS256', null],
    ['a list', 'RS256', [rsa.jwk]],
    ['members of its prototype only', 'RS256', Object.create(rsa.jwk)],
  ])('refuses %s', (_, alg, jwk) => {
    expect(fits(alg, jwk)).toBe(false);
  });

  it('accepts a modulus of exactly 2048 bits', () => {
    expect(fits('PS256', modulus(2048))).toBe(true);
  });
});
