import { describe, expect, test } from 'vitest';
import { csvReader, readJson } from '../../../src/cli/import/inputs.js';

const row = (text: string) => ({ line: 1, text });
const ends = (expiresAt: string) => (readJson(row(JSON.stringify({ expiresAt }))).expiresAt as Date).toISOString();

describe('the end of an imported token', () => {
  // `new Date` takes each of them: as January for February, as December for January, as the day after.
  test.each([
    '01/02/2027',
    '12/01/2026',
    '2027-02-31',
    '2027-02-30T00:00:00Z',
    '2026-12-31T24:00:00Z',
    '2027-1',
    '2027',
    '0',
    '12',
  ])('%s is refused, because it could be read as a later one', (text) => {
    expect(() => ends(text)).toThrow('expiresAt is not a time');
    expect(() => csvReader(row('digest,expiresAt'))(row(`x,${text}`))).toThrow('expiresAt is not a time');
  });

  test.each([
    ['2027-02-28', '2027-02-28T00:00:00.000Z'],
    ['2028-02-29 12:30', '2028-02-29T12:30:00.000Z'],
    ['2027-01-31 12:00:00.5', '2027-01-31T12:00:00.500Z'],
    ['2027-01-31 12:00:00.123456+02', '2027-01-31T10:00:00.123Z'],
    ['2027-01-31T12:00:00-0800', '2027-01-31T20:00:00.000Z'],
    ['2027-01-31T12:00:00+02:00', '2027-01-31T10:00:00.000Z'],
  ])('%s is %s', (text, expected) => {
    expect(ends(text)).toBe(expected);
  });
});
