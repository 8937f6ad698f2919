import { calculateJwkThumbprint, compactVerify, exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { accessTokens, generateKeys } from 'postern/jwt';
import { describe, expect, it } from 'vitest';
import { refusal, thrown } from '../support/outcomes.js';
import { API, AUTH, issueBoth, issuerWorld } from './support/access.js';

const privateJwk = async (alg: string): Promise<JWK> =>
  exportJWK((await generateKeyPair(alg, { extractable: true })).privateKey);

const publicOf = ({ d, ...jwk }: JWK) => jwk;

describe('generateKeys', () => {
  it.each([
    ['EdDSA', { kty: 'OKP', crv: 'Ed25519' }],
    ['ES256', { kty: 'EC', crv: 'P-256' }],
  ] as const)('makes one private key for %s, named by its thumbprint', async (alg, kind) => {
    const keys = await generateKeys({ alg });
    expect(keys).toEqual([expect.objectContaining({ ...kind, alg, use: 'sig', d: expect.any(String) })]);
    expect(keys[0]?.kid).toBe(await calculateJwkThumbprint(keys[0] as JWK));
    expect((await generateKeys({ alg }))[0]?.kid).not.toBe(keys[0]?.kid);
  });

  it('makes EdDSA keys by default, and refuses unknown algorithms', async () => {
    expect((await generateKeys())[0]?.alg).toBe('EdDSA');
    expect(await refusal(generateKeys({ alg: 'HS256' as 'EdDSA' }))).toMatchObject({
      code: 'option_invalid',
      path: 'alg',
    });
    expect(await refusal(generateKeys({ size: 3 } as object))).toMatchObject({ code: 'option_unknown', path: 'size' });
  });
});

describe('given signing keys', () => {
  it.each(['EdDSA', 'ES256'] as const)('sign with %s, in a list or in a set', async (alg) => {
    const keys = await generateKeys({ alg });
    for (const given of [keys, { keys }]) {
      const world = issuerWorld({ keys: given });
      const { token } = await issueBoth(world);
      const { accessToken } = await world.signed.exchange(world.postern, token);
      const { protectedHeader } = await compactVerify(accessToken, await importJWK(publicOf(keys[0] as JWK), alg));
      expect(protectedHeader).toEqual({ alg, typ: 'at+jwt', kid: keys[0]?.kid });
    }
  });

  it('are published without private parts and unknown members', async () => {
    const [first] = await generateKeys();
    const [second] = await generateKeys({ alg: 'ES256' });
    const { signed } = issuerWorld({ keys: [{ ...first, key_ops: ['sign'], ext: true }, publicOf(second as JWK)] });
    expect(await signed.jwks()).toEqual({ keys: [publicOf(first as JWK), publicOf(second as JWK)] });
  });

  it('may lack members that follow from the key', async () => {
    const bare = await privateJwk('EdDSA');
    const { signed } = issuerWorld({ keys: [bare] });
    const expected = { kty: 'OKP', crv: 'Ed25519', x: bare.x, alg: 'EdDSA', use: 'sig' };
    expect(await signed.jwks()).toEqual({ keys: [{ ...expected, kid: await calculateJwkThumbprint(bare) }] });
  });

  it('after the first one verify tokens of before', async () => {
    const [old] = await generateKeys();
    const [next] = await generateKeys({ alg: 'ES256' });
    const before = issuerWorld({ keys: [old as object, next as object] });
    const { token } = await issueBoth(before);
    const { accessToken } = await before.signed.exchange(before.postern, token);
    const { store, clock } = before;
    const after = issuerWorld({ keys: [next as object, publicOf(old as JWK)] }, { store, clock });
    expect(await after.postern.authenticate(accessToken)).toMatchObject({ ok: true });
    const gone = issuerWorld({ keys: [next as object] }, { store, clock });
    expect(await gone.postern.authenticate(accessToken)).toEqual({ ok: false, reason: 'token_unknown' });
  });

  it.each<[string, (jwk: JWK) => Promise<unknown> | unknown, string]>([
    ['no key', () => [], 'keys'],
    ['an invalid set', () => ({ jwks: [] }), 'keys'],
    ['a text', () => 'eyJ', 'keys'],
    ['a public key first', (jwk) => [publicOf(jwk)], 'keys.0'],
    ['a secret for HMAC', () => [{ kty: 'oct', k: 'AAAA', alg: 'HS256' }], 'keys.0'],
    ['a short RSA key', async () => [await privateJwk('RS256')], 'keys.0'],
    ['a key on another curve', async () => [await privateJwk('ES384')], 'keys.0'],
    ['a key for encryption', (jwk) => [{ ...jwk, use: 'enc' }], 'keys.0'],
    ['a key for deriving', (jwk) => [{ ...jwk, key_ops: ['deriveBits'] }], 'keys.0'],
    ['a key for another algorithm', (jwk) => [{ ...jwk, alg: 'ES256' }], 'keys.0'],
    ['a kid that is no text', (jwk) => [{ ...jwk, kid: 7 }], 'keys.0'],
    ['a private part that is no text', (jwk) => [{ ...jwk, d: [1] }], 'keys.0'],
    ['null as the second key', (jwk) => [jwk, null], 'keys.1'],
    ['the same key twice', (jwk) => [jwk, jwk], 'keys'],
  ])('are refused at construction if they are %s', async (_, make, path) => {
    const jwk = await privateJwk('EdDSA');
    const keys = (await make(jwk)) as object[];
    const refused = thrown(() => accessTokens({ issuer: AUTH, audience: API, keys }));
    expect(refused).toMatchObject({ code: 'option_invalid', path });
    expect(refused.message).not.toContain(jwk.d as string);
  });

  it.each(['EdDSA', 'ES256'] as const)('are refused at construction if the halves do not match (%s)', async (alg) => {
    const [jwk] = await generateKeys({ alg });
    const [other] = await generateKeys({ alg });
    const world = issuerWorld({ keys: [{ ...jwk, d: other?.d }] });
    const { token } = await issueBoth(world);
    const refused = await refusal(world.signed.exchange(world.postern, token));
    expect(refused).toMatchObject({ code: 'option_invalid', path: 'keys' });
    expect(refused.message).not.toContain(other?.d as string);
  });
});
