import { describe, expect, test } from 'vitest';
import { cellsOf, type FileRow, rowsOf } from '../../../src/cli/import/records.js';

async function all(rows: AsyncIterable<FileRow>): Promise<FileRow[]> {
  const read: FileRow[] = [];
  for await (const row of rows) read.push(row);
  return read;
}

/** The rows of a text, whatever parts it comes in. */
async function rows(text: string | Uint8Array, format: 'ndjson' | 'csv') {
  const bytes = Buffer.from(text);
  const read = async (size: number) => {
    async function* chunks() {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    }
    return all(rowsOf(chunks(), format));
  };
  const whole = await read(bytes.length || 1);
  for (const size of [1, 2, 7]) expect(await read(size)).toEqual(whole);
  return whole;
}

describe('the rows of a file', () => {
  test('are its lines, without empty ones, with the number of the line', async () => {
    expect(await rows('\ufeff{"a":"ä"}\r\n\n  \n{}\n{"b"', 'ndjson')).toEqual([
      { line: 1, text: '{"a":"ä"}' },
      { line: 4, text: '{}' },
      { line: 5, text: '{"b"' },
    ]);
    expect(await rows('', 'ndjson')).toEqual([]);
  });

  test('of CSV go on over the end of a line inside quotes', async () => {
    const text = 'a,b\n"x\ny","say ""hi"""\r\n1,2';
    const read = await rows(text, 'csv');
    expect(read.map(({ line }) => line)).toEqual([1, 2, 4]);
    expect(read.map((row) => cellsOf(row.text))).toEqual([
      ['a', 'b'],
      ['x\ny', 'say "hi"'],
      ['1', '2'],
    ]);
  });

  test('that can not be read say why, and stop no other', async () => {
    const [bad, good] = await rows(Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from('{}\n')]), 'ndjson');
    expect(bad).toMatchObject({ line: 1, problem: 'it is not UTF-8' });
    expect(good).toEqual({ line: 2, text: '{}' });
    const long = `${'x'.repeat(300_000)}\n{}\n`;
    async function* one() {
      yield long;
    }
    const [tooLong, next] = await all(rowsOf(one(), 'ndjson'));
    expect(tooLong?.problem).toMatch(/longer/);
    expect(next).toEqual({ line: 2, text: '{}' });
    const open = await rows('a\n"b\nc\nd\n', 'csv');
    expect(open.at(-1)).toMatchObject({ line: 2, problem: 'its last quote is not closed' });
  });

  test('have cells as RFC 4180 says', () => {
    expect(cellsOf('')).toEqual(['']);
    expect(cellsOf('a,,"",')).toEqual(['a', '', '', '']);
    expect(cellsOf('" a ", b')).toEqual([' a ', ' b']);
    for (const wrong of ['a"b', '"a"b', '"a', 'a,"b"c,d']) expect(() => cellsOf(wrong), wrong).toThrow(/quote/);
  });
});
