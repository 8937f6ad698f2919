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
  return verifySignature(token, jws, localKeys({ keys: jwks as object[] }, algorithms));
}

describe('checkClaims', () => {
  it('finds nothing wrong with a good token, for one audience or several', () => {
    expect(checkClaims(CLAIMS, RULES)).toBeNull();
    expect(checkClaims({ ...CLAIMS, aud: ['https://other.example', AUDIENCE] }, RULES)).toBeNull();
    expect(checkClaims(CLAIMS, { ...RULES, audience: ['https://other.example', AUDIENCE] })).toBeNull();
  });

  it.each<[string, object]>([
    ['no iss', { iss: undefined }],
    ['another iss', { iss: 'https://evil.example' }],
    ['an iss with a slash more', { iss: `${ISSUER}/` }],
    ['a list of iss', { iss: [ISSUER] }],
    ['no aud', { aud: undefined }],
    ['another aud', { aud: 'https://other.example' }],
    ['an empty list of aud', { aud: [] }],
    ['an aud that only begins like ours', { aud: `${AUDIENCE}.evil.example` }],
    ['a list of aud with something else in it', { aud: [AUDIENCE, 1] }],
    ['an aud that is an object', { aud: { 0: AUDIENCE } }],
    ['no sub', { sub: undefined }],
    ['an empty sub', { sub: '' }],
    ['a sub that is a number', { sub: 7 }],
    ['no exp', { exp: undefined }],
    ['an exp that is a text', { exp: String(CLAIMS.exp) }],
    ['an exp that is null', { exp: null }],
    ['an exp that is no number of this world', { exp: Number.POSITIVE_INFINITY }],
    ['an exp in milliseconds of the year 60000', { exp: 8.65e12 }],
    ['an iat in the future', { iat: NOW + 6 }],
    ['an iat that is a text', { iat: String(NOW) }],
    ['an nbf in the future', { nbf: NOW + 6 }],
    ['an nbf that is null', { nbf: null }],
    ['an nbf that is a list', { nbf: [NOW] }],
    ['a jti that is a number', { jti: 1 }],
  ])('refuses %s', (_, claims) => {
    expect(checkClaims({ ...CLAIMS, ...claims }, RULES)).toBe('token_unknown');
  });

  it('forgives a clock that is ahead by the tolerance, on iat and nbf', () => {
    expect(checkClaims({ ...CLAIMS, iat: NOW + 5, nbf: NOW + 5 }, RULES)).toBeNull();
  });

  it('has a token expired at exp, and later only by a tolerance that is given for it', () => {
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
  it.each(ALGORITHMS)('verifies %s, and notices a change of one bit anywhere', async (alg) => {
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

  it('believes the list of algorithms, not the header', async () => {
    const key = await issuerKey('RS256');
    expect(await isGood(await signed(key), [key.jwk], ['ES256', 'PS256'])).toBe(false);
  });

  it('verifies with no key for another algorithm of the same type', async () => {
    const key = await issuerKey('RS256');
    const { alg: _, ...anyAlgorithm } = key.jwk;
    const asPss = await signed(await issuerKey('PS256', key.kid));
    expect(await isGood(asPss, [key.jwk])).toBe(false);
    expect(await isGood(await signed(key), [anyAlgorithm])).toBe(true);
    expect(await isGood(asPss, [anyAlgorithm])).toBe(false);
  });

  it('looks for the key that the token names, and for no other', async () => {
    const key = await issuerKey('ES256', 'a');
    const token = await signed(key);
    expect(await isGood(token, [{ ...key.jwk, kid: 'b' }])).toBe(false);
    expect(await isGood(token, [{ ...key.jwk, kid: undefined }])).toBe(false);
  });

  it('tries the keys that fit where the token names none', async () => {
    const [first, second] = [await issuerKey('ES256', 'a'), await issuerKey('ES256', 'b')];
    const token = await signed(second, {}, { kid: undefined });
    expect(await isGood(token, [first.jwk, second.jwk])).toBe(true);
    expect(await isGood(token, [first.jwk])).toBe(false);
  });

  it('tries all keys of one name, four at most', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => issuerKey('EdDSA', 'same')));
    const jwks = keys.map(({ jwk }) => jwk);
    for (const [index, key] of keys.entries()) expect(await isGood(await signed(key), jwks)).toBe(index < 4);
  });

  it('passes over keys of a set that can not be used, and goes on with the rest', async () => {
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

  it('tries no more than four keys, however many it is given', async () => {
    const keys = await Promise.all(Array.from({ length: 5 }, () => issuerKey('EdDSA')));
    const found = await Promise.all(
      keys.map(({ jwk, kid }) => localKeys({ keys: [jwk] }, ALGORITHMS).find({ alg: 'EdDSA', kid })),
    );
    const all = { find: async () => found as CryptoKey[] };
    for (const [index, key] of keys.entries()) {
      const token = await signed(key);
      expect(await verifySignature(token, readCompact(token) as never, all)).toBe(index < 4);
    }
  });

  it('is a fault, and no verdict, where a key can not be told', async () => {
    const token = await signed(await issuerKey('EdDSA'));
    const jws = readCompact(token);
    const down = { find: () => Promise.reject(new Error('down')) };
    await expect(verifySignature(token, jws as never, down)).rejects.toThrow('down');
  });
});

describe('fits', async () => {
  const [ec, ed, rsa] = await Promise.all([issuerKey('ES256'), issuerKey('EdDSA'), issuerKey('RS256')]);
  const modulus = (modulusLength: number): JWK =>
    generateKeyPairSync('rsa', { modulusLength }).publicKey.export({ format: 'jwk' }) as JWK;

  it('takes a public key of the type and the curve', () => {
    expect([fits('ES256', ec.jwk), fits('EdDSA', ed.jwk), fits('RS256', rsa.jwk)]).toEqual([true, true, true]);
    expect(fits('Ed25519', { ...ed.jwk, alg: 'Ed25519' })).toBe(true);
    expect(fits('ES256', { ...ec.jwk, use: undefined, alg: undefined, key_ops: ['verify'] })).toBe(true);
  });

  it.each<[string, SignatureAlgorithm, unknown]>([
    ['another type', 'ES256', ed.jwk],
    ['another curve', 'ES384', { ...ec.jwk, alg: undefined }],
    ['another algorithm of its own', 'ES256', { ...ec.jwk, alg: 'ES384' }],
    ['a key for encryption', 'ES256', { ...ec.jwk, use: 'enc' }],
    ['a use that is a list', 'ES256', { ...ec.jwk, use: ['sig'] }],
    ['a key that may only sign', 'ES256', { ...ec.jwk, key_ops: ['sign'] }],
    ['key_ops that is a text', 'ES256', { ...ec.jwk, key_ops: 'verify' }],
    ['a private key', 'ES256', { ...ec.jwk, d: 'AAAA' }],
    ['a shared secret', 'RS256', { kty: 'oct', k: 'AAAA' }],
    ['a shared secret in a public key', 'RS256', { ...rsa.jwk, k: 'AAAA' }],
    ['a point without y', 'ES256', { ...ec.jwk, y: undefined }],
    ['a modulus of 1024 bits', 'RS256', modulus(1024)],
    ['a modulus of 2040 bits', 'RS256', modulus(2040)],
    ['a modulus of 1024 bits behind zeros', 'RS256', { ...modulus(1024), n: `${'A'.repeat(200)}${modulus(1024).n}` }],
    ['a modulus that is no base64url', 'RS256', { ...rsa.jwk, n: `${rsa.jwk.n}=` }],
    ['a modulus without end', 'RS256', { ...rsa.jwk, n: '_'.repeat(4000) }],
    ['nothing', 'RS256', null],
    ['a list', 'RS256', [rsa.jwk]],
    ['what it has by its prototype', 'RS256', Object.create(rsa.jwk)],
  ])('does not take %s', (_, alg, jwk) => {
    expect(fits(alg, jwk)).toBe(false);
  });

  it('takes a modulus of 2048 bits to the bit', () => {
    expect(fits('PS256', modulus(2048))).toBe(true);
  });
});
