import { constants, createHmac, type KeyObject, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type NodeVerifier, nodeVerifier } from '../../src/base/runtime.js';
import { ALGORITHMS, type SignatureAlgorithm } from '../../src/jwt/algorithms.js';
import { readCompact } from '../../src/jwt/compact.js';
import { localKeys } from '../../src/jwt/local-keys.js';
import { nativeCheck, portableCheck, type SignatureCheck } from '../../src/jwt/signature.js';
import { polluted } from '../support/polluted.js';
import { imported, keyOf, keys, read } from './support/signatures.js';
import { base64url, CLAIMS, crafted, type IssuerKey, inputOf, issuerKey, signed } from './support/tokens.js';

const node = nodeVerifier() as NodeVerifier;
const CHECKS: readonly [string, SignatureCheck][] = [
  ['jose and Web Crypto', portableCheck],
  ['Node', nativeCheck(node)],
];

/** The orders of P-256 (SEC 2, section 2.4.2) and of Ed25519 (RFC 8032 section 5.1). */
const P256 = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const ED25519 = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The verdict on a token by all keys of the tests. Each step is the same as in production. */
async function verdict(check: SignatureCheck, token: string): Promise<'good' | 'forged' | 'unread' | 'no key'> {
  const jws = readCompact(token);
  if (jws === null) return 'unread';
  const jwks = [...keys.values()].map(({ jwk }) => jwk);
  const key = await localKeys({ keys: jwks }, ALGORITHMS).find({ alg: jws.header.alg, kid: jws.kid });
  if (key === null) return 'no key';
  return (await check(jws, key as CryptoKey)) ? 'good' : 'forged';
}

const signatureOf = (token: string) => Buffer.from(token.slice(token.lastIndexOf('.') + 1), 'base64url');
const withSignature = (token: string, signature: Uint8Array) => `${inputOf(token)}.${base64url(signature)}`;

function changed(token: string, change: (signature: Buffer) => Uint8Array): string {
  return withSignature(token, change(signatureOf(token)));
}

function big(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

function bytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex');
}

/** Replaces r and s of an ECDSA signature. */
const ecdsa = (token: string, change: (r: bigint, s: bigint) => [bigint, bigint]) =>
  changed(token, (signature) => {
    const [r, s] = change(big(signature.subarray(0, 32)), big(signature.subarray(32)));
    return Buffer.concat([bytes(r, 32), bytes(s, 32)]);
  });

const nodeKeyOf = ({ privateKey }: IssuerKey) => node.keyOf(privateKey) as KeyObject;

/** A token that Node signs with an RSA key by another scheme than its header says. */
const rsaSigned = (alg: SignatureAlgorithm, hash: string, padding: object) => {
  const key = keyOf(alg);
  const input = `${base64url({ alg, kid: key.kid, typ: 'at+jwt' })}.${base64url(CLAIMS)}`;
  return `${input}.${base64url(sign(hash, Buffer.from(input), { key: nodeKeyOf(key), ...padding }))}`;
};

const PKCS1 = { padding: constants.RSA_PKCS1_PADDING };
const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });

/** A made-up header, signed with the ES256 key. */
const es256 = (header: object) => signed(keyOf('ES256'), {}, header);

/** The same token with the first bytes of a DER signature. */
const withDer = (token: string, length?: number) =>
  withSignature(token, sign('sha256', Buffer.from(inputOf(token)), nodeKeyOf(keyOf('ES256'))).subarray(0, length));

/** A good token with another signature. */
const resigned = (alg: SignatureAlgorithm, change: (signature: Buffer) => Uint8Array) => async () =>
  changed(await signed(keyOf(alg)), change);

const CASES: Readonly<Record<string, [string, () => string | Promise<string>]>> = {
  'a high s, which JWS allows': ['good', async () => ecdsa(await es256({}), (r, s) => [r, P256 - s])],
  'an r of 0': ['forged', async () => ecdsa(await es256({}), (_, s) => [0n, s])],
  'an s of 0': ['forged', async () => ecdsa(await es256({}), (r) => [r, 0n])],
  'r and s of 0': ['forged', async () => ecdsa(await es256({}), () => [0n, 0n])],
  'r and s of 1': ['forged', async () => ecdsa(await es256({}), () => [1n, 1n])],
  'an r of n': ['forged', async () => ecdsa(await es256({}), (_, s) => [P256, s])],
  'an s of n': ['forged', async () => ecdsa(await es256({}), (r) => [r, P256])],
  'r and s of n': ['forged', async () => ecdsa(await es256({}), () => [P256, P256])],
  'r and s of the largest number': ['forged', async () => changed(await es256({}), () => Buffer.alloc(64, 255))],
  'r and s in the other order': ['forged', async () => ecdsa(await es256({}), (r, s) => [s, r])],
  'a DER signature': ['unread', async () => withDer(await es256({}))],
  'the head of a DER signature, with the right length': ['forged', async () => withDer(await es256({}), 64)],
  'an ES256 token with a key on another curve': ['no key', () => es256({ kid: 'ES384-1' })],
  'an Ed25519 signature with S + L': [
    'forged',
    resigned('EdDSA', (signature) => {
      const s = big(Buffer.from(signature.subarray(32)).reverse()) + ED25519;
      return Buffer.concat([signature.subarray(0, 32), bytes(s, 32).reverse()]);
    }),
  ],
  'an Ed25519 signature of zeros': ['forged', resigned('EdDSA', () => Buffer.alloc(64))],
  'an Ed25519 signature of the neutral point': [
    'forged',
    resigned('EdDSA', () => Buffer.from([1, ...new Array(63).fill(0)])),
  ],
  'a PSS signature as PKCS #1': ['forged', () => rsaSigned('RS256', 'sha256', pss(32))],
  'a PKCS #1 signature as PSS': ['forged', () => rsaSigned('PS256', 'sha256', PKCS1)],
  'a PSS salt of no bytes': ['forged', () => rsaSigned('PS256', 'sha256', pss(0))],
  'a PSS salt of 20 bytes': ['forged', () => rsaSigned('PS256', 'sha256', pss(20))],
  'the longest PSS salt': ['forged', () => rsaSigned('PS256', 'sha256', pss(222))],
  'a PSS salt of its length': ['good', () => rsaSigned('PS256', 'sha256', pss(32))],
  'SHA-1 in RS256': ['forged', () => rsaSigned('RS256', 'sha1', PKCS1)],
  'SHA-512 in RS256': ['forged', () => rsaSigned('RS256', 'sha512', PKCS1)],
  'SHA-256 in PS512': ['forged', () => rsaSigned('PS512', 'sha256', pss(64))],
  'an RSA signature of zeros': ['forged', resigned('RS256', () => Buffer.alloc(256))],
  'an RSA signature of 1': ['forged', resigned('RS256', () => Buffer.from([...new Array(255).fill(0), 1]))],
  'an RSA signature above the modulus': ['forged', resigned('RS256', () => Buffer.alloc(256, 255))],
  'an RSA signature with a zero before it': [
    'forged',
    resigned('RS256', (signature) => Buffer.concat([Buffer.alloc(1), signature])),
  ],
  'an RSA signature without its last byte': ['unread', resigned('RS256', (signature) => signature.subarray(0, 255))],
  'an unknown kid': ['no key', () => es256({ kid: 'other' })],
  'the kid of a key for another algorithm': ['no key', () => es256({ kid: 'RS256-1' })],
  'alg none': ['unread', () => crafted({ alg: 'none', kid: 'ES256-1' }, CLAIMS, '')],
  'alg none with a signature': ['unread', () => crafted({ alg: 'none', kid: 'ES256-1' })],
  'HS256 with the public key as its secret': [
    'unread',
    () => {
      const input = `${base64url({ alg: 'HS256', kid: 'RS256-1' })}.${base64url(CLAIMS)}`;
      const secret = (node.keyOf(keyOf('RS256').publicKey) as KeyObject).export({ type: 'spki', format: 'pem' });
      return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
    },
  ],
  crit: ['unread', () => es256({ crit: ['b64'], b64: true })],
  'b64 of false': [
    'unread',
    async () => (await es256({})).replace(/^[^.]+/, base64url({ alg: 'ES256', b64: false, crit: ['b64'] })),
  ],
  padding: ['unread', async () => `${await es256({})}==`],
  'unused bits at the end': [
    'unread',
    async () => {
      const token = await es256({});
      return token.slice(0, -1) + String.fromCharCode(token.charCodeAt(token.length - 1) + 1);
    },
  ],
  'no signature': ['unread', async () => `${inputOf(await es256({}))}.`],
  'a signature that is one byte short': ['unread', async () => changed(await es256({}), (all) => all.subarray(1))],
};

describe.each(CHECKS)('the signatures of tokens, by %s', (_, check) => {
  it.each(ALGORITHMS)('are accepted for %s, and refused with a wrong key or any changed part', async (alg) => {
    const key = keyOf(alg);
    const token = await signed(key);
    expect(await verdict(check, token)).toBe('good');
    expect(await verdict(check, await signed(await issuerKey(alg)))).toBe('forged');
    expect(await verdict(check, await signed(key, {}, { cty: 'x' }))).toBe('good');
    for (const at of [0, 31, 32, -1]) {
      const flipped = changed(token, (signature) => {
        const index = at < 0 ? signature.length + at : at;
        return signature.map((byte, i) => (i === index ? byte ^ 1 : byte));
      });
      expect(await verdict(check, flipped)).toBe('forged');
    }
    const other = await signed(key, { scope: 'models:write' });
    expect(await verdict(check, withSignature(other, signatureOf(token)))).toBe('forged');
  });

  it.each(Object.entries(CASES))('%s', async (_name, [expected, make]) => {
    expect(await verdict(check, await make())).toBe(expected);
  });

  it('never uses a key that is not for the algorithm, however it came', async () => {
    const { subtle } = crypto;
    const token = async (alg: SignatureAlgorithm) => read(await signed(keyOf(alg)));
    const rsa = (hash: string, bits = 2048) => ({
      name: 'RSASSA-PKCS1-v1_5',
      hash,
      modulusLength: bits,
      publicExponent: Uint8Array.of(1, 0, 1),
    });
    const pair = async (algorithm: object) =>
      (await subtle.generateKey(algorithm as EcKeyGenParams, true, ['sign', 'verify'])) as CryptoKeyPair;
    const secret = await subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']);
    const unused = await subtle.importKey(
      'jwk',
      { ...keyOf('ES256').jwk, use: 'sig' },
      { name: 'ECDSA', namedCurve: 'P-256' },
      true,
      [],
    );
    const keysOf: [SignatureAlgorithm, CryptoKey][] = [
      ['ES256', keyOf('ES256').privateKey],
      ['ES256', unused],
      ['ES256', secret as CryptoKey],
      ['ES256', (await pair({ name: 'ECDSA', namedCurve: 'P-384' })).publicKey],
      ['EdDSA', (await pair({ name: 'ECDSA', namedCurve: 'P-256' })).publicKey],
      ['RS256', (await pair(rsa('SHA-512'))).publicKey],
      ['RS256', (await pair(rsa('SHA-256', 1024))).publicKey],
      ['PS256', (await pair(rsa('SHA-256'))).publicKey],
      ['RS256', secret as CryptoKey],
    ];
    for (const [alg, key] of keysOf) {
      await expect((async () => check(await token(alg), key))(), `${alg} ${key.algorithm.name}`).rejects.toThrow(
        TypeError,
      );
    }
  });

  it('never uses a key for a second algorithm, after it was good for the first', async () => {
    const twice: [SignatureAlgorithm, SignatureAlgorithm][] = [
      ['RS256', 'RS512'],
      ['RS256', 'PS256'],
      ['PS256', 'RS256'],
      ['EdDSA', 'ES256'],
      ['ES256', 'EdDSA'],
    ];
    for (const [first, second] of twice) {
      const key = await imported(keyOf(first).jwk, first);
      const good = read(await signed(keyOf(first)));
      const other = read(await signed(keyOf(second)));
      expect(await check(good, key)).toBe(true);
      await expect((async () => check(other, key))(), `${first}, ${second}`).rejects.toThrow(TypeError);
      expect(await check(good, key)).toBe(true);
    }
    const key = await imported({ ...keyOf('EdDSA').jwk, alg: undefined }, 'EdDSA');
    const { privateKey } = keyOf('EdDSA');
    const byNewName = read(await signed({ ...keyOf('Ed25519'), privateKey }));
    expect(await check(byNewName, key)).toBe(true);
  });

  it('gives the same answer for a key of small order, whatever was signed', async () => {
    for (const first of [0, 1]) {
      const x = base64url(Uint8Array.from({ length: 32 }, (_byte, i) => (i === 0 ? first : 0)));
      const key = await imported({ kty: 'OKP', crv: 'Ed25519', x }, 'EdDSA');
      const signature = Uint8Array.from({ length: 64 }, (_byte, i) => (i === 0 ? 1 : 0));
      const jws = read(crafted({ alg: 'EdDSA' }, CLAIMS, base64url(signature)));
      expect(await check(jws, key)).toBe(await portableCheck(jws, key));
    }
  });

  it('takes no padding, salt or hash from a polluted prototype', async () => {
    const key = await imported(keyOf('PS256').jwk, 'PS256');
    const short = read(rsaSigned('PS256', 'sha256', pss(20)));
    const good = read(await signed(keyOf('PS256')));
    const fresh = check === portableCheck ? portableCheck : nativeCheck(node);
    const found = await polluted(
      { saltLength: 20, padding: 1, dsaEncoding: 'der', options: { saltLength: 20 } },
      async () => [await fresh(short, key), await fresh(good, key)],
    );
    expect(found).toEqual([false, true]);
  });
});
