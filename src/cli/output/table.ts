import { escapeInvisible } from '../../domain/text.js';
import type { Host } from '../host.js';
import type { Format } from './print.js';
import { paint, type Style } from './style.js';
import { fitted, widthOf } from './width.js';

/** A cell's text, or `null` for nothing to show. */
export type Cell = string | number | boolean | null;

/** One column of a table. Without `least` and `rank` it is always shown whole. */
export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => Cell;
  readonly style?: (row: Row) => Style | null;
  /** A narrow terminal cuts the texts of this column to this width or more. */
  readonly least?: number;
  /** A narrow terminal drops the column with the highest rank first. */
  readonly rank?: number;
}

const GAP = '  ';

/**
 * Rows under headings in aligned columns. On a terminal they fit its width: long texts are cut, then columns are dropped. In a
 * pipe, and in a `wide` table, nothing is cut. Characters that could hide or reorder text on a terminal are escaped,
 * because names come from other people.
 */
export function table<Row>(host: Host, format: Format, columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const drawn = columns.map((column) => {
    const cells = rows.map((row) => textOf(column.cell(row)));
    const natural = Math.max(...[column.heading, ...cells.map(escapeInvisible)].map(widthOf));
    return { column, cells, natural, width: natural };
  });
  const shown = sized(drawn, format === 'wide' ? Number.POSITIVE_INFINITY : widthFor(host));
  const headings = line(shown.map(({ column, width }) => padded(column.heading, width)));
  const body = rows.map((row, index) =>
    line(
      shown.map(({ column, cells, width }) => {
        const text = padded(fitted(cells[index] as string, width), width);
        const style = column.style?.(row) ?? null;
        return style === null ? text : text.replace(/^.*\S/, (word) => paint(host, style, word, 'stdout'));
      }),
    ),
  );
  return headings + body.join('');
}

/** Names and values, one pair a line. */
export function fields(entries: readonly (readonly [name: string, value: Cell])[]): string {
  const width = Math.max(...entries.map(([name]) => name.length)) + 1;
  return entries.map(([name, value]) => `${`${name}:`.padEnd(width)}  ${escapeInvisible(textOf(value))}\n`).join('');
}

interface Drawn<Row> {
  readonly column: Column<Row>;
  readonly cells: readonly string[];
  /** The width of its longest text. */
  readonly natural: number;
  readonly width: number;
}

/** Drops columns until the rest fits when it is cut as far as allowed, and cuts only as far as needed. */
function sized<Row>(drawn: readonly Drawn<Row>[], room: number): readonly Drawn<Row>[] {
  const leastOf = ({ column, natural }: Drawn<Row>) => Math.min(natural, column.least ?? natural);
  const gaps = GAP.length * (drawn.length - 1);
  const excess = total(drawn.map(({ natural }) => natural)) + gaps - room;
  if (excess <= 0) return drawn;
  const dispensable = drawn.filter(({ column }) => column.rank !== undefined);
  if (total(drawn.map(leastOf)) + gaps > room && dispensable.length > 0) {
    const last = dispensable.reduce((a, b) => ((b.column.rank as number) > (a.column.rank as number) ? b : a));
    return sized(
      drawn.filter((each) => each !== last),
      room,
    );
  }
  return cut(drawn, leastOf, excess);
}

/** Takes the excess from the widest column first. */
function cut<Row>(drawn: readonly Drawn<Row>[], leastOf: (each: Drawn<Row>) => number, excess: number) {
  const widths = drawn.map(({ natural }) => natural);
  const leasts = drawn.map(leastOf);
  for (let left = excess; left > 0; left--) {
    const spare = widths.map((width, index) => (width > (leasts[index] as number) ? width : 0));
    const widest = Math.max(...spare);
    if (widest === 0) break;
    widths[spare.indexOf(widest)] = widest - 1;
  }
  return drawn.map((each, index) => ({ ...each, width: widths[index] as number }));
}

function widthFor({ stdout }: Host): number {
  return stdout.isTTY ? stdout.columns || 80 : Number.POSITIVE_INFINITY;
}

function textOf(value: Cell | undefined): string {
  return value === null || value === undefined || value === '' ? '-' : String(value);
}

function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

function line(cells: readonly string[]): string {
  return `${cells.join(GAP).trimEnd()}\n`;
}

function total(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
