import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBearer, readRawToken } from '../../src/transports/credential.js';

const MALFORMED = { token: null, malformed: true, proof: null };
const MISSING = { token: null, malformed: false, proof: null };
const one = (token: string) => ({ token, malformed: false, proof: null });
/** RFC 6750 section 2.1. */
const b64token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,80}={0,2}$/);

describe('readBearer', () => {
  it('takes one token, whatever the case of the scheme and the number of spaces', () => {
    const scheme = fc.mixedCase(fc.constant('bearer'));
    const spaces = fc.stringMatching(/^ {1,5}$/);
    fc.assert(
      fc.property(scheme, spaces, b64token, (name, gap, token) => {
        expect(readBearer(`${name}${gap}${token}`, false)).toEqual(one(token));
      }),
    );
  });

  it('finds two credentials malformed, wherever they stand', () => {
    const separator = fc.constantFrom(', ', ',', ' , ', ',\t', ' ');
    fc.assert(
      fc.property(b64token, separator, b64token, fc.boolean(), (first, gap, second, repeat) => {
        expect(readBearer(`Bearer ${first}${gap}${repeat ? 'Bearer ' : ''}${second}`, false)).toEqual(MALFORMED);
      }),
    );
  });

  it('finds a second header malformed, whatever the first one holds', () => {
    fc.assert(
      fc.property(fc.option(fc.string(), { nil: undefined }), (value) => {
        expect(readBearer(value, true)).toEqual(MALFORMED);
      }),
    );
  });

  it('never finds a token in another scheme', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{1,12}$/), fc.string(), (scheme, rest) => {
        fc.pre(scheme.toLowerCase() !== 'bearer');
        const found = readBearer(`${scheme} ${rest}`, false);
        expect([MISSING, MALFORMED]).toContainEqual(found);
      }),
    );
  });

  it('never returns a token with white space or a comma, or a longer one than 8 KiB', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (rest) => {
        const found = readBearer(`Bearer ${rest}`, false);
        if (found.token !== null) expect(found.token).toMatch(/^[^ ,\t]{1,8192}$/s);
      }),
    );
    expect(readBearer(`Bearer ${'a'.repeat(8192)}`, false)).toEqual(one('a'.repeat(8192)));
    expect(readBearer(`Bearer ${'a'.repeat(8193)}`, false)).toEqual(MALFORMED);
  });

  it.each([
    [undefined, MISSING],
    ['', MISSING],
    ['Basic eDp5', MISSING],
    ['Bearerabc', MISSING],
    ['Digest username="a", realm="b"', MISSING],
    ['Bearer', MALFORMED],
    ['Bearer ', MALFORMED],
    ['Bearer\tabc', MALFORMED],
    ['Bearer,abc', MALFORMED],
    ['Basic eDp5, Bearer abc', MALFORMED],
    ['Basic eDp5,bearer', MALFORMED],
  ])('%j → %j', (value, expected) => {
    expect(readBearer(value, false)).toEqual(expected);
  });
});

describe('readRawToken', () => {
  it.each([
    [undefined, false, false, MISSING],
    ['', false, false, MISSING],
    ['abc', false, false, one('abc')],
    [undefined, false, true, MISSING],
    ['abc', false, true, MALFORMED],
    ['', false, true, MALFORMED],
    ['abc', true, false, MALFORMED],
    ['Bearer abc', false, false, MALFORMED],
    ['abc, abc', false, false, MALFORMED],
  ])('%j (twice: %j, Authorization: %j) → %j', (value, duplicated, authorization, expected) => {
    expect(readRawToken(value, duplicated, authorization)).toEqual(expected);
  });
});
