import { escapeInvisible } from '../../domain/text.js';

/** A cell's text, or `null` for nothing to show. */
export type Cell = string | number | boolean | null;

/**
 * Rows under headings in aligned columns, two spaces apart. Characters that could hide or reorder text on a terminal are escaped,
 * because names come from other people.
 */
export function table(headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const lines = [headings, ...rows.map((row) => row.map(shown))];
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => widthOf(line[column] ?? ''))));
  return lines.map((line) => aligned(line, widths)).join('');
}

/** Names and values, one pair a line. */
export function fields(entries: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + 1;
  return entries.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${shown(value)}\n`).join('');
}

function shown(value: Cell | undefined): string {
  if (value === null || value === undefined || value === '') return '-';
  return escapeInvisible(String(value));
}

function aligned(line: readonly string[], widths: readonly number[]): string {
  const cells = line.map((text, column) => text + ' '.repeat((widths[column] as number) - widthOf(text)));
  return `${cells.join('  ').trimEnd()}\n`;
}

/** The approximate width of a text on a terminal: wide scripts take two columns, marks none. */
function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    if (/\p{Mn}/u.test(character)) continue;
    width +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
        character,
      )
        ? 2
        : 1;
  }
  return width;
}
