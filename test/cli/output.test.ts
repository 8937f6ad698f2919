import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Host } from '../../src/cli/host.js';
import { type Format, note, print, say, warn } from '../../src/cli/output/print.js';
import { table } from '../../src/cli/output/table.js';
import { runHere } from './host.js';

/** Characters that hide, move or reorder text on a terminal. Line ends of the output are allowed. */
const INVISIBLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** A C1 control, a direction override, a line separator, a delete, an escape sequence, a tag beyond 16 bits. */
const EVIL = 'a\u009b31m \u202egnp.exe \u2028 \u007f \u001b[2J \u{e0041} \r\t é 漢 😀';

function printed(format: Format, value: unknown): string {
  let text = '';
  const host = { stdout: { write: (each: string) => (text += each) } } as unknown as Host;
  print(host, format, value, () =>
    table(host, format, [{ heading: 'NAME', cell: (row: unknown) => String(row) }], [value]),
  );
  return text;
}

describe('the output of the command', () => {
  test.each([
    ['json', (text: string) => JSON.parse(text)],
    ['yaml', (text: string) => parse(text)],
  ] as const)('as %s has no character that a terminal obeys, and keeps its meaning', (format, read) => {
    const value = {
      name: EVIL,
      list: [EVIL, 'plain', 'two\nlines', ''],
      [EVIL]: { deep: EVIL },
      number: 1,
      none: null,
    };
    const text = printed(format, value);
    expect(text).not.toMatch(INVISIBLE);
    expect(read(text)).toEqual(value);
    expect(text).toContain('é 漢 😀');
  });

  test.each([
    ['json', (text: string) => JSON.parse(text)],
    ['yaml', (text: string) => parse(text)],
  ] as const)('as %s reads back unchanged (random values)', (format, read) => {
    const text = fc.string({ unit: fc.constantFrom(...EVIL, '\n', '"', '\\', ':', '#', '-', ' ', 'u') });
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (value) => {
        const shown = printed(format, value);
        expect(shown).not.toMatch(INVISIBLE);
        // The name `__proto__` is an ordinary one.
        expect(Object.entries(read(shown))).toEqual(Object.entries(value));
      }),
    );
  });

  test('as a table or a sentence is escaped too', () => {
    const written: string[] = [];
    const to = { isTTY: false, write: (text: string) => written.push(text) };
    const host = { stdout: to, stderr: to, env: {} } as unknown as Host;
    note(host, EVIL);
    warn(host, EVIL);
    say(host, EVIL);
    expect([printed('table', EVIL), ...written].filter((each) => INVISIBLE.test(each))).toEqual([]);
  });

  test('repeats typed text without control characters', async () => {
    const { stderr, code } = await runHere([`api-token-${EVIL}`]);
    expect([code, INVISIBLE.test(stderr)]).toEqual([2, false]);
  });
});
