import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createDigester, hash, hexToLatin1, portableHash } from '../../src/base/digest.js';

const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((code) => String.fromCharCode(code)),
  maxLength: 600,
});
const latin1 = (bytes: Buffer) => bytes.toString('latin1');

describe('the hash', () => {
  test("is the runtime's own here, and the portable one is another function", () => {
    expect(hash).not.toBe(portableHash);
  });

  test('both are SHA-256, byte for byte, of any ASCII text', () => {
    fc.assert(
      fc.property(ascii, (text) => {
        const expected = latin1(createHash('sha256').update(text, 'latin1').digest());
        expect(hash(text)).toBe(expected);
        expect(portableHash(text)).toBe(expected);
      }),
    );
  });

  test('a vector of FIPS 180-2', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(hash('abc')).toBe(hexToLatin1(abc));
    expect(portableHash('abc')).toBe(hexToLatin1(abc));
  });
});

test.each([
  ['hash', hash],
  ['portableHash', portableHash],
])('%s of a text that is not ASCII is one that no token has, whatever low bytes it shares with it', (_, digest) => {
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
  test('always compares digests of 64 hexadecimal digits', () => {
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
