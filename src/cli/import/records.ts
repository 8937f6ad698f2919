/** The longest row, in bytes: a token with all of its metadata is shorter. */
const MOST = 262_144;
const LINE_FEED = 0x0a;
const QUOTE = 0x22;

/** A row of a file, as it stands there. */
export interface FileRow {
  /** The line that it begins in, from 1. */
  readonly line: number;
  readonly text: string;
  /** Why it can't be read. */
  readonly problem?: string;
}

/**
 * The rows of a file: one a line. A row of CSV goes on over the end of a line inside quotes (RFC 4180). Empty rows are left out.
 *
 * @param chunks any parts of the file
 */
export async function* rowsOf(
  chunks: AsyncIterable<Uint8Array | string>,
  format: 'ndjson' | 'csv',
): AsyncGenerator<FileRow, void> {
  let line = 0;
  let begun: { readonly line: number; readonly lines: Uint8Array[]; size: number; quotes: number } | null = null;
  for await (const bytes of linesOf(chunks)) {
    line += 1;
    begun ??= { line, lines: [], size: 0, quotes: 0 };
    begun.size += bytes.length;
    // The rest of a row without an end is not kept.
    if (begun.size <= MOST) begun.lines.push(bytes);
    if (format === 'csv') begun.quotes += count(bytes, QUOTE);
    if (begun.quotes % 2 === 1) continue;
    const row = read(begun);
    begun = null;
    if (row.text.trim() !== '' || row.problem !== undefined) yield row;
  }
  if (begun !== null) yield { ...read(begun), problem: 'its last quote is not closed' };
}

function read({ line, lines, size }: { line: number; lines: readonly Uint8Array[]; size: number }): FileRow {
  const bytes = Buffer.concat(lines);
  const decoded = bytes.toString('utf8');
  // Excel writes a mark of the byte order before the first line.
  const text = (line === 1 ? decoded.replace(/^\ufeff/, '') : decoded).replace(/\r?\n$/, '');
  if (size > MOST) return { line, text, problem: `it is longer than ${MOST} bytes` };
  const isUtf8 = Buffer.from(decoded).equals(bytes);
  return isUtf8 ? { line, text } : { line, text, problem: 'it is not UTF-8' };
}

/** Lines with their ends. */
async function* linesOf(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array, void> {
  let rest: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED)) {
      const line = bytes.subarray(0, end + 1);
      yield rest.length === 0 ? line : Buffer.concat([...rest, line]);
      rest = [];
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > 0) rest.push(bytes);
  }
  if (rest.length > 0) yield Buffer.concat(rest);
}

function count(bytes: Uint8Array, byte: number): number {
  let found = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, at + 1)) found++;
  return found;
}

/**
 * The cells of a row of CSV.
 *
 * @throws Error for a quote inside a cell without quotes, and for text behind a quoted cell
 */
export function cellsOf(text: string): readonly string[] {
  const cells: string[] = [];
  let at = 0;
  for (;;) {
    const cell = /(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/y;
    cell.lastIndex = at;
    const match = cell.exec(text);
    if (match === null) throw new Error(`cell ${cells.length + 1} has a quote in the wrong place`);
    cells.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? '');
    if (match[3] === '') return cells;
    at = cell.lastIndex;
  }
}
