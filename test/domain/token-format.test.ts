import zlib from 'node:zlib';
import fc from 'fast-check';
import { parseToken, tokenPattern } from 'postern';
import { describe, expect, test } from 'vitest';
import { formatToken, hintOf, tokenForm } from '../../src/domain/token-format.js';

const ALPHABET = [...'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'];

/** Base62 by long division over decimal digits of a BigInt text: another way than the source's. */
function base62(value: bigint, width: number): string {
  const digits: string[] = [];
  for (let rest = value; rest > 0n; rest /= 62n) digits.unshift(ALPHABET[Number(rest % 62n)] as string);
  return digits.join('').padStart(width, '0');
}

function expectedToken(prefix: string, bytes: Uint8Array): string {
  const body = `${prefix}_${base62(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), 43)}`;
  return body + base62(BigInt(crc32OfZlib(body)), 6);
}

/** CRC-32 as zlib itself writes it, in the trailer of a gzip stream (RFC 1952 section 2.3.1). Node 20.19 has no `zlib.crc32`. */
function crc32OfZlib(text: string): number {
  const gzip = zlib.gzipSync(Buffer.from(text, 'latin1'));
  return gzip.readUInt32LE(gzip.length - 8);
}

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const prefixes = fc.stringMatching(/^[a-z][a-z0-9]{1,15}$/);

describe('the format of a token', () => {
  test.each([
    ['the lowest secret', new Uint8Array(32)],
    ['the highest secret', new Uint8Array(32).fill(255)],
    ['counted bytes', Uint8Array.from({ length: 32 }, (_, index) => index)],
  ])('%s is written as the specification says', (_, bytes) => {
    expect(formatToken('pst', bytes)).toBe(expectedToken('pst', bytes));
  });

  test('a fixed secret gives a fixed token', () => {
    expect(formatToken('pst', new Uint8Array(32))).toBe(
      `pst_${'0'.repeat(43)}${base62(BigInt(crc32OfZlib(`pst_${'0'.repeat(43)}`)), 6)}`,
    );
    expect(formatToken('pst', new Uint8Array(32))).toMatch(/^pst_0{43}[0-9A-Za-z]{6}$/);
    expect(formatToken('pst', new Uint8Array(32))).toHaveLength(53);
  });

  test('any bytes under any prefix are written as the specification says, and read back', () => {
    fc.assert(
      fc.property(prefixes, bytes32, (prefix, bytes) => {
        const token = formatToken(prefix, bytes);
        expect(token).toBe(expectedToken(prefix, bytes));
        expect(parseToken(token)).toEqual({ prefix, hint: `${token.slice(0, prefix.length + 5)}…${token.slice(-4)}` });
        expect(tokenForm(prefix)(token)).toBe(true);
      }),
    );
  });

  test('a change of any one character is refused', () => {
    fc.assert(
      fc.property(
        bytes32,
        fc.nat({ max: 52 }),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
        (bytes, at, other) => {
          const token = formatToken('pst', bytes);
          fc.pre(token[at] !== other);
          const changed = token.slice(0, at) + other + token.slice(at + 1);
          expect(tokenForm('pst')(changed)).toBe(false);
          expect(parseToken(changed)).toBeNull();
        },
      ),
      { numRuns: 2_000 },
    );
  });

  test('a wide character with the right low byte is refused at every position', () => {
    const token = formatToken('pst', new Uint8Array(32).fill(7));
    for (let at = 4; at < token.length; at++) {
      for (const distance of [0x80, 0x100, 0x3000]) {
        const other = String.fromCharCode(token.charCodeAt(at) + distance);
        expect(tokenForm('pst')(token.slice(0, at) + other + token.slice(at + 1))).toBe(false);
      }
    }
  });

  test('a token with two neighbouring characters exchanged is refused', () => {
    fc.assert(
      fc.property(bytes32, fc.integer({ min: 4, max: 51 }), (bytes, at) => {
        const token = formatToken('pst', bytes);
        fc.pre(token[at] !== token[at + 1]);
        const swapped = token.slice(0, at) + token[at + 1] + token[at] + token.slice(at + 2);
        expect(tokenForm('pst')(swapped)).toBe(false);
      }),
    );
  });

  const token = formatToken('pst', new Uint8Array(32).fill(7));
  test.each([
    ['an empty text', ''],
    ['a token without its last character', token.slice(0, -1)],
    ['a token with one more character', `${token}0`],
    ['a token with another prefix', `abc${token.slice(3)}`],
    ['a token with an upper-case prefix', `PST${token.slice(3)}`],
    ['a token without its separator', token.replace('_', '0')],
    ['a token after a space', ` ${token}`],
    ['a token with a line end', `${token}\n`],
    ['a token with a full-width digit', `${token.slice(0, 10)}０${token.slice(11)}`],
    [
      'a token with a character beyond Latin-1 whose low byte is a digit',
      `${token.slice(0, 10)}\u0130${token.slice(11)}`,
    ],
    ['a token with a separator in its secret', `${token.slice(0, 10)}_${token.slice(11)}`],
    ['a token with a checksum above 32 bits', `${token.slice(0, -6)}zzzzzz`],
  ])('%s is not a token', (_, text) => {
    expect(tokenForm('pst')(text)).toBe(false);
  });

  test.each([[undefined], [null], [5], [{}], [['pst']]])('%s is not a token', (value) => {
    expect(parseToken(value as never)).toBeNull();
  });

  test('a token of one prefix is refused under another prefix', () => {
    expect(tokenForm('acme')(token)).toBe(false);
    expect(tokenForm('acme')(formatToken('acme', new Uint8Array(32)))).toBe(true);
  });

  test('the hint shows the prefix, four characters of the secret, and four of the checksum, no more', () => {
    expect(hintOf(token)).toBe(`${token.slice(0, 8)}…${token.slice(-4)}`);
  });
});

describe('tokenPattern', () => {
  const found = formatToken('pst', new Uint8Array(32).fill(9));

  test.each([
    ['a header', `Authorization: Bearer ${found}\r\n`],
    ['JSON', `{"token":"${found}"}`],
    ['a shell line', `export TOKEN=${found};`],
    ['the whole text', found],
    ['a URL', `https://x/?t=${found}&a=1`],
  ])('finds a token in %s', (_, text) => {
    expect(tokenPattern().exec(text)?.[0]).toBe(found);
  });

  test.each([
    ['inside a longer word', `x${found}`],
    ['followed by another letter', `${found}x`],
    ['under another prefix', `xyz${found.slice(3)}`],
  ])('does not find a token %s', (_, text) => {
    expect(tokenPattern().exec(text)).toBeNull();
  });

  test('matches only the given prefix, and throws for an invalid one', () => {
    const own = formatToken('acme', new Uint8Array(32));
    expect(tokenPattern('acme').test(own)).toBe(true);
    expect(tokenPattern('acme').test(found)).toBe(false);
    expect(() => tokenPattern('.*')).toThrow(TypeError);
    expect(() => tokenPattern('A')).toThrow(TypeError);
  });
});
