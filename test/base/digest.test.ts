import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDigester, hash, hexToLatin1, portableHash } from '../../src/base/digest.js';

const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
  maxLength: 600,
});
const latin1 = (bytes: Buffer) => bytes.toString('latin1');

describe('hash', () => {
  test("is the runtime's own here, and not the portable one", () => {
    expect(hash).not.toBe(portableHash);
  });

  test('and portableHash give the SHA-256 of any ASCII text', () => {
    fc.assert(
      fc.property(ascii, (text) => {
        const expected = latin1(createHash('sha256').update(text, 'latin1').digest());
        expect(hash(text)).toBe(expected);
        expect(portableHash(text)).toBe(expected);
      }),
    );
  });

  test('and portableHash give the digest of FIPS 180-2 for abc', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(hash('abc')).toBe(hexToLatin1(abc));
    expect(portableHash('abc')).toBe(hexToLatin1(abc));
  });
});

test.each([
  ['hash', hash],
  ['portableHash', portableHash],
])('%s tells a text beyond ASCII from the ASCII text with the same low bytes', (_, digest) => {
  fc.assert(
    fc.property(ascii, fc.nat(), fc.integer({ min: 1, max: 255 }), (text, at, high) => {
      fc.pre(text.length > 0);
      const i = at % text.length;
      const twin = text.slice(0, i) + String.fromCharCode(text.charCodeAt(i) + 256 * high) + text.slice(i + 1);
      expect(digest(twin)).not.toBe(digest(text));
    }),
  );
});

describe('the digester', () => {
  test('makes digests of 64 hexadecimal digits', () => {
    fc.assert(
      fc.property(ascii, fc.uint8Array({ minLength: 16, maxLength: 100 }), (text, key) => {
        const keyed = createDigester([
          { id: 'a', key },
          { id: 'none', key: null },
        ]);
        const candidates = keyed.candidates(hash(text));
        expect(candidates).toEqual([
          createHmac('sha256', key).update(createHash('sha256').update(text, 'latin1').digest()).digest('hex'),
          createHash('sha256').update(text, 'latin1').digest('hex'),
        ]);
        expect(keyed.write(hash(text))).toEqual({ digest: candidates[0], pepper: 'a' });
      }),
    );
  });
});
