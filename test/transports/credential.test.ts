import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readBearer, readRawToken } from '../../src/transports/credential.js';

const MALFORMED = { token: null, malformed: true, proof: null };
const MISSING = { token: null, malformed: false, proof: null };
const one = (token: string) => ({ token, malformed: false, proof: null });
/** RFC 6750 section 2.1. */
const b64token = fc.stringMatching(/^[A-Za-z0-9._~+/-]{1,80}={0,2}$/);

describe('readBearer', () => {
  it('reads one token with any case of the scheme and any number of spaces', () => {
    const scheme = fc.mixedCase(fc.constant('bearer'));
    const spaces = fc.stringMatching(/^ {1,5}$/);
    fc.assert(
      fc.property(scheme, spaces, b64token, (name, gap, token) => {
        expect(readBearer(`${name}${gap}${token}`)).toEqual(one(token));
      }),
    );
  });

  it('reads two credentials in any order as malformed', () => {
    const separator = fc.constantFrom(', ', ',', ' , ', ',\t', ' ');
    fc.assert(
      fc.property(b64token, separator, b64token, fc.boolean(), (first, gap, second, repeat) => {
        expect(readBearer(`Bearer ${first}${gap}${repeat ? 'Bearer ' : ''}${second}`)).toEqual(MALFORMED);
      }),
    );
  });

  it('never reads a token of another scheme', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[A-Za-z0-9]{1,12}$/), fc.string(), (scheme, rest) => {
        fc.pre(scheme.toLowerCase() !== 'bearer');
        const found = readBearer(`${scheme} ${rest}`);
        expect([MISSING, MALFORMED]).toContainEqual(found);
      }),
    );
  });

  it('never reads a token with white space or a comma, or of more than 8 KiB', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (rest) => {
        const found = readBearer(`Bearer ${rest}`);
        if (found.token !== null) expect(found.token).toMatch(/^[^ ,\t]{1,8192}$/s);
      }),
    );
    expect(readBearer(`Bearer ${'a'.repeat(8192)}`)).toEqual(one('a'.repeat(8192)));
    expect(readBearer(`Bearer ${'a'.repeat(8193)}`)).toEqual(MALFORMED);
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
  ])('reads %j as %j', (value, expected) => {
    expect(readBearer(value)).toEqual(expected);
  });
});

describe('readRawToken', () => {
  it.each([
    [undefined, false, MISSING],
    ['', false, MISSING],
    ['abc', false, one('abc')],
    [undefined, true, MISSING],
    ['abc', true, MALFORMED],
    ['', true, MALFORMED],
    ['Bearer abc', false, MALFORMED],
    ['abc, abc', false, MALFORMED],
  ])('reads %j beside Authorization %j as %j', (value, authorization, expected) => {
    expect(readRawToken(value, authorization)).toEqual(expected);
  });
});
