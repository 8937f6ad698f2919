import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Host } from '../../src/cli/host.js';
import { type Format, note, print, say, warn } from '../../src/cli/output/print.js';
import { table } from '../../src/cli/output/table.js';
import { runHere } from './host.js';

/** What hides, moves or reorders text on a terminal; the end of a line is the output's own. */
const INVISIBLE = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
/** A C1 control, a direction override, a line separator, a delete, an escape sequence, a tag from beyond 16 bits. */
const EVIL = 'a\u009b31m \u202egnp.exe \u2028 \u007f \u001b[2J \u{e0041} \r\t é 漢 😀';

function printed(format: Format, value: unknown): string {
  let text = '';
  const host = { stdout: { write: (each: string) => (text += each) } } as unknown as Host;
  print(host, format, value, () => table(['NAME'], [[String(value)]]));
  return text;
}

describe('what the command prints', () => {
  test.each([
    ['json', (text: string) => JSON.parse(text)],
    ['yaml', (text: string) => parse(text)],
  ] as const)('as %s holds nothing that a terminal obeys, and says the same', (format, read) => {
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
  ] as const)('as %s reads back as it was, whatever it is', (format, read) => {
    const text = fc.string({ unit: fc.constantFrom(...EVIL, '\n', '"', '\\', ':', '#', '-', ' ', 'u') });
    fc.assert(
      fc.property(fc.dictionary(text, fc.oneof(text, fc.array(text))), (value) => {
        const shown = printed(format, value);
        expect(shown).not.toMatch(INVISIBLE);
        // A name `__proto__` is a name like any other.
        expect(Object.entries(read(shown))).toEqual(Object.entries(value));
      }),
    );
  });

  test('as a table or a sentence is escaped as well', () => {
    const written: string[] = [];
    const to = { isTTY: false, write: (text: string) => written.push(text) };
    const host = { stdout: to, stderr: to, env: {} } as unknown as Host;
    note(host, EVIL);
    warn(host, EVIL);
    say(host, EVIL);
    expect([printed('table', EVIL), ...written].filter((each) => INVISIBLE.test(each))).toEqual([]);
  });

  test('repeats what was typed without its control characters', async () => {
    const { stderr, code } = await runHere([`api-token-${EVIL}`]);
    expect([code, INVISIBLE.test(stderr)]).toEqual([2, false]);
  });
});
