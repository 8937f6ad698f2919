import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { type NodeVerifier, nodeVerifier } from '../../src/base/runtime.js';
import { ALGORITHMS } from '../../src/jwt/algorithms.js';
import { isSignedBy, nativeCheck, portableCheck } from '../../src/jwt/signature.js';
import { imported, keyOf, read } from './support/signatures.js';
import { base64url, CLAIMS, crafted, signed } from './support/tokens.js';

const node = nodeVerifier() as NodeVerifier;

describe('the check by Node', () => {
  it('is the one of this runtime', () => {
    expect(isSignedBy).not.toBe(portableCheck);
  });

  const verify = vi.fn(node.verify);
  const spied = nativeCheck({ ...node, verify });

  it.each(ALGORITHMS)('is made without a promise for %s, unless it takes long', async (alg) => {
    verify.mockClear();
    const key = await imported(keyOf(alg).jwk, alg);
    const answer = spied(read(await signed(keyOf(alg))), key);
    const takesLong = alg === 'ES384' || alg === 'ES512';
    expect(answer instanceof Promise).toBe(takesLong);
    expect(verify).toHaveBeenCalledTimes(takesLong ? 0 : 1);
    expect(await answer).toBe(true);
  });

  it('leaves an RSA key with an unusual exponent to Web Crypto, off the event loop', async () => {
    verify.mockClear();
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 });
    const input = `${base64url({ alg: 'RS256' })}.${base64url(CLAIMS)}`;
    const token = `${input}.${base64url(sign('sha256', Buffer.from(input), privateKey))}`;
    const key = await imported({ ...publicKey.export({ format: 'jwk' }) }, 'RS256');
    expect(await spied(read(token), key)).toBe(true);
    expect(verify).not.toHaveBeenCalled();
  });

  it('leaves an RSA key of more than 4096 bits to Web Crypto', async () => {
    verify.mockClear();
    const n = base64url(new Uint8Array(513).fill(255));
    const key = await imported({ kty: 'RSA', n, e: 'AQAB' }, 'RS256');
    const token = crafted({ alg: 'RS256' }, CLAIMS, base64url(new Uint8Array(513).fill(1)));
    expect(await spied(read(token), key)).toBe(false);
    expect(verify).not.toHaveBeenCalled();
  });

  it('refuses the signature if Node throws', async () => {
    const broken = nativeCheck({
      ...node,
      verify() {
        throw new Error('no such curve');
      },
    });
    const key = await imported(keyOf('ES256').jwk, 'ES256');
    expect(await broken(read(await signed(keyOf('ES256'))), key)).toBe(false);
  });
});
