import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../src/cli/host.js';
import { paint, type Style } from '../../src/cli/output/style.js';
import { type Column, table } from '../../src/cli/output/table.js';
import { fitted, widthOf } from '../../src/cli/output/width.js';
import { relative } from '../../src/cli/output/words.js';

interface Row {
  readonly id: string;
  readonly name: string;
  readonly note: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { heading: 'ID', cell: ({ id }) => id },
  { heading: 'NAME', cell: ({ name }) => name, least: 6 },
  { heading: 'NOTE', cell: ({ note }) => note, least: 4, rank: 1 },
  { heading: 'OTHER', cell: () => 'other', rank: 2 },
];
const ROWS: readonly Row[] = [{ id: '1234', name: 'a name of twenty-two…', note: 'a note' }];

/** A terminal of this width; `null`: a pipe. */
function machine(columns: number | null, env: Readonly<Record<string, string>> = {}): Host {
  const stdout = { isTTY: columns !== null, columns: columns ?? undefined, write() {} };
  return { env, stdout, stderr: stdout } as unknown as Host;
}

const drawn = (width: number | null, rows = ROWS) =>
  table(machine(width), 'table', COLUMNS, rows).split('\n').slice(0, -1);

describe('a table', () => {
  it('is whole in a pipe, and on a terminal that is wide enough', () => {
    const whole = ['ID    NAME                   NOTE    OTHER', '1234  a name of twenty-two…  a note  other'];
    expect(drawn(null)).toEqual(whole);
    expect(drawn(42)).toEqual(whole);
  });

  it('cuts its longest texts first, and only as far as needed', () => {
    expect(drawn(40)[1]).toBe('1234  a name of twenty-t…  a note  other');
    expect(drawn(30)[1]).toBe('1234  a name o…  a note  other');
  });

  it('drops the least important column if its texts can be cut no more', () => {
    expect(drawn(19)).toEqual(['ID    NAME    NOTE', '1234  a nam…  a no…']);
    expect(drawn(17)).toEqual(['ID    NAME', '1234  a name of…']);
  });

  it('keeps the columns that are always shown, however narrow the terminal is', () => {
    expect(drawn(5)).toEqual(['ID    NAME', '1234  a nam…']);
  });

  it('is whole with -o wide', () => {
    expect(table(machine(20), 'wide', COLUMNS, ROWS)).toContain('a name of twenty-two…  a note  other');
  });

  it('aligns wide characters and emoji by the columns that they take', () => {
    const rows = [
      { id: '漢字', name: 'é👍🏽', note: 'x' },
      { id: 'abcd', name: 'abc', note: 'y' },
    ];
    expect(drawn(null, rows)).toEqual([
      'ID    NAME  NOTE  OTHER',
      '漢字  é👍🏽   x     other',
      'abcd  abc   y     other',
    ]);
  });

  it('never exceeds the terminal if its texts can be cut (random names)', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        fc.array(fc.record({ id: fc.constant('1234'), name: text, note: text })),
        fc.integer({ min: 12, max: 60 }),
        (rows, width) => {
          for (const line of drawn(width, rows)) expect(widthOf(line)).toBeLessThanOrEqual(width);
        },
      ),
    );
  });
});

describe('a cut text', () => {
  it.each([
    ['fits', 'abc', 3, 'abc'],
    ['is too long', 'abcd', 3, 'ab…'],
    ['has a space before the cut', 'ab cd', 4, 'ab…'],
    ['ends with half a wide character', 'a漢字', 4, 'a漢…'],
    ['ends within an emoji with a skin colour', 'ab👍🏽c', 4, 'ab…'],
    ['ends within a letter of two characters', 'ae\u0301bc', 3, 'ae\u0301…'],
    ['ends within an escape', 'a\u202ebc', 6, 'a…'],
  ])('that %s is whole in its graphemes', (_, text, width, expected) => {
    expect(fitted(text, width)).toBe(expected);
  });

  it('shows no character that a terminal obeys', () => {
    expect(fitted('\u001b[2J\u009b\u202e', 100)).toBe('\\u{1b}[2J\\u{9b}\\u{202e}');
  });
});

describe('colours', () => {
  const coloured = (columns: number | null, env: Readonly<Record<string, string>>) =>
    paint(machine(columns, env), 'green', 'x', 'stdout') !== 'x';

  it.each([
    ['a terminal', 80, {}, true],
    ['a pipe', null, {}, false],
    ['NO_COLOR', 80, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', 80, { NO_COLOR: '' }, true],
    ['a dumb terminal', 80, { TERM: 'dumb' }, false],
    ['FORCE_COLOR in a pipe', null, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0 on a terminal', 80, { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR with NO_COLOR', 80, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
  ])('%s', (_, columns, env, expected) => {
    expect(coloured(columns, env)).toBe(expected);
  });

  it('colour the text of a cell, and not the space after it', () => {
    const columns: readonly Column<string>[] = [
      { heading: 'STATE', cell: (row) => row, style: (): Style => 'green' },
      { heading: 'X', cell: () => 'x' },
    ];
    expect(table(machine(80), 'table', columns, ['ok'])).toBe('STATE  X\n\u001b[32mok\u001b[0m     x\n');
  });
});

describe('a relative time', () => {
  const now = Date.UTC(2026, 10, 30);
  it.each([
    [0, 'now'],
    [-1_000, '1 second ago'],
    [90_000, 'in 90 seconds'],
    [91_000, 'in 2 minutes'],
    [-3 * 3_600_000, '3 hours ago'],
    [3 * 86_400_000 - 1, 'in 3 days'],
    [90 * 86_400_000, 'in 90 days'],
    [-200 * 86_400_000, '7 months ago'],
    [3 * 365.25 * 86_400_000, 'in 3 years'],
  ])('of %d milliseconds is "%s"', (distance, expected) => {
    expect(relative(new Date(now + distance).toISOString(), now)).toBe(expected);
  });

  it('is the given text if that is no time', () => {
    expect(relative('soon', now)).toBe('soon');
  });
});
