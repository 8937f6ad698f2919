import fc from 'fast-check';
import { isPosternError, PosternError } from 'postern';
import { describe, expect, test } from 'vitest';
import { durationOf, formatDuration, parseDuration } from '../../src/domain/duration.js';
import { isEndpointId, isOrganizationName } from '../../src/domain/endpoint.js';
import { escapeInvisible, quote } from '../../src/domain/text.js';
import { thrown } from '../support/outcomes.js';

describe('duration', () => {
  test.each([
    ['250ms', 250],
    ['30s', 30_000],
    ['15m', 900_000],
    ['1h', 3_600_000],
    ['90d', 7_776_000_000],
    ['2w', 1_209_600_000],
    ['0s', 0],
    [0, 0],
    ['365000d', 365_000 * 86_400_000],
  ])('%s is %d ms', (value, expected) => {
    expect(parseDuration(value)).toBe(expected);
  });

  test.each([
    [60_000, '1m'],
    [90_000, '90s'],
    [86_400_000, '1d'],
    [1_500, '1500ms'],
  ])('%d ms are written as %s, and read back', (length, text) => {
    expect(formatDuration(length)).toBe(text);
    expect(parseDuration(text)).toBe(length);
  });

  test.each([
    ['-1s'],
    ['1'],
    ['1y'],
    ['1.5h'],
    [' 1h'],
    ['1h '],
    ['1H'],
    ['٣s'],
    [''],
    [1],
    [3600],
    [1000.5],
    [-1],
    [Number.NaN],
    [Number.POSITIVE_INFINITY],
    ['365001d'],
    ['999999999999999w'],
    [null],
    [undefined],
    [{}],
    [1n],
  ])('%s is not a duration', (value) => {
    expect(parseDuration(value)).toBeNull();
    expect(thrown(() => durationOf(value, 'grace'))).toMatchObject({ code: 'input_invalid', path: 'grace' });
  });

  test.each([1, 90, 3600, 7_776_000_000])('%d has no unit, and the message shows one', (value) => {
    const { message } = thrown(() => durationOf(value, 'grace'));
    expect(message).toContain(`a number has no unit: write '${value}s' or '${value}ms'`);
  });
});

describe('endpoint id', () => {
  test.each([['a'], ['A-1.b_c'], ['0'], ['a'.repeat(100)]])('%s is an endpoint id', (id) =>
    expect(isEndpointId(id)).toBe(true),
  );
  test.each([[''], ['-a'], ['.a'], ['_a'], ['a/b'], ['a b'], ['a\n'], ['é'], ['a'.repeat(101)], [5], [null], [['a']]])(
    '%j is none',
    (id) => expect(isEndpointId(id)).toBe(false),
  );
});

describe('organization name', () => {
  test.each([['a'], ['ACME Corp.'], ['日本'], ['a'.repeat(100)], ['**'], ['😀']])(
    '%s is an organization name',
    (name) => expect(isOrganizationName(name)).toBe(true),
  );
  test.each([
    ['an empty text', ''],
    ['a text of 101 characters', 'a'.repeat(101)],
    ['a text with NUL', 'a\0'],
    ['a text with a line end', 'a\n'],
    ['half a surrogate pair (UTF-8 writes all halves alike)', 'a\ud800'],
    ["'*' (it means all organizations)", '*'],
    ['a number', 5],
  ])('%s is not an organization name', (_, name) => expect(isOrganizationName(name)).toBe(false));
});

describe("quoting someone else's text in a message", () => {
  test('control, bidirectional and invisible characters are escaped', () => {
    expect(escapeInvisible('a\u0000\u001b\u202e\u200b\u2028\ufeffb')).toBe(
      'a\\u{0}\\u{1b}\\u{202e}\\u{200b}\\u{2028}\\u{feff}b',
    );
  });

  test('no text keeps an invisible character', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(escapeInvisible(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  test('a long text is cut, and other values are described', () => {
    expect(quote('x'.repeat(61))).toBe(`"${'x'.repeat(60)}…"`);
    expect([quote(null), quote([1]), quote({}), quote(5), quote(undefined)]).toEqual([
      '"null"',
      '"a list"',
      '"an object"',
      '"5"',
      '"undefined"',
    ]);
  });
});

describe('PosternError', () => {
  test('is recognized from any copy of the package', () => {
    const foreign = Object.assign(new Error('x'), { [Symbol.for('postern/error')]: true, code: 'conflict' });
    expect(isPosternError(foreign)).toBe(true);
    expect(isPosternError(new PosternError('conflict', 'x'))).toBe(true);
    expect(isPosternError(new Error('x'))).toBe(false);
    expect(isPosternError({ name: 'PosternError', code: 'conflict' })).toBe(false);
    expect(isPosternError(null)).toBe(false);
  });

  test('carries its path and its cause', () => {
    const cause = new Error('below');
    const error = new PosternError('unavailable', 'give less', { path: 'a.b', input: 'create', cause });
    expect(error).toMatchObject({
      name: 'PosternError',
      code: 'unavailable',
      path: 'a.b',
      problem: 'give less',
      cause,
    });
    expect(error.message).toBe('a.b of create: give less');
    expect(new PosternError('conflict', 'try again').message).toBe('try again');
    expect(new PosternError('option_unknown', 'is unknown', { path: 'a\u{202e}b' }).message).toBe(
      'a\\u{202e}b: is unknown',
    );
    expect('cause' in new PosternError('conflict', 'x')).toBe(false);
  });
});
