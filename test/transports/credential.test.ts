import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUTHORIZATION, type Places, readBearer, readPlaces } from '../../src/transports/credential.js';

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

/** Reads headers from these places. */
function read(places: Partial<Places>, headers: Readonly<Record<string, string | undefined>>) {
  return readPlaces(
    { ...AUTHORIZATION, authorization: false, headers: ['x-api-key'], ...places },
    (name) => headers[name],
  );
}

describe('a raw token in a header of its own', () => {
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
    const headers = { 'x-api-key': value, authorization: authorization ? 'Basic x' : undefined };
    expect(read({}, headers)).toEqual(expected);
  });
});

describe('several places', () => {
  const either = { authorization: true, headers: ['x-api-key', 'x-token'] };

  it.each([
    [{}, MISSING],
    [{ authorization: 'Bearer abc' }, one('abc')],
    [{ 'x-api-key': 'abc' }, one('abc')],
    [{ 'x-token': 'abc' }, one('abc')],
    [{ authorization: 'Bearer abc', 'x-api-key': 'abc' }, MALFORMED],
    [{ authorization: 'Bearer', 'x-api-key': 'abc' }, MALFORMED],
    [{ 'x-api-key': 'abc', 'x-token': 'def' }, MALFORMED],
    [{ 'x-api-key': 'a b' }, MALFORMED],
    [{ 'x-api-key': '', 'x-token': 'abc' }, one('abc')],
    [{ authorization: 'Basic x', 'x-api-key': 'abc' }, MALFORMED],
    [{ authorization: 'Basic x' }, MISSING],
  ])('%j is read as one credential, or refused', (headers, expected) => {
    expect(read(either, headers)).toEqual(expected);
  });

  it.each([
    [{ authorization: 'Basic x', 'x-api-key': 'abc' }, one('abc')],
    [{ authorization: 'Bearer abc', 'x-api-key': 'abc' }, MALFORMED],
    [{ authorization: 'Bearer a, Bearer b', 'x-api-key': 'abc' }, MALFORMED],
    [{ authorization: 'Bearer abc' }, one('abc')],
  ])('with another Authorization ignored, %j is read as one credential, or refused', (headers, expected) => {
    expect(read({ ...either, ignoresOther: true }, headers)).toEqual(expected);
  });

  it.each([
    [{ authorization: 'Bearer of.the.platform', 'x-api-key': 'abc' }, one('abc')],
    [{ authorization: 'Bearer of.the.platform' }, MISSING],
  ])('an Authorization that is no place is left to the platform: %j', (headers, expected) => {
    expect(read({ ignoresOther: true }, headers)).toEqual(expected);
  });
});
