import { describe, expect, test } from 'vitest';
import { derivedKeyOf } from '../../src/base/derived-key.js';
import { nodePublicHalf } from '../../src/base/runtime.js';

/** RFC 8032 section 7.1, tests 1 to 3. */
const vectors = [
  [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
  ],
  [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  ],
  [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
  ],
].map((halves) => halves.map((hex) => Buffer.from(hex, 'hex').toString('base64url')));

describe('the key of a token', () => {
  test('is the same by the Web Crypto API and by the runtime itself', async () => {
    for (let number = 0; number < 50; number++) {
      const token = `pst_${String(number).padStart(49, 'x')}`;
      expect(await derivedKeyOf(token)).toEqual(await derivedKeyOf(token, null));
    }
  });

  test('has the public half of RFC 8032, if Node makes it of the seed alone', () => {
    const publicHalf = nodePublicHalf();
    // Node 24 compares it with the JWK's own.
    if (publicHalf === null) expect(Number.parseInt(process.versions.node, 10)).toBeGreaterThan(20);
    else expect(vectors.map(([seed]) => publicHalf(seed as string))).toEqual(vectors.map(([, x]) => x));
  });
});
