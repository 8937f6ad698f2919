/** The most rows that one call of the store returns: a page of the default length, and one row more. */
const PART = 101;
/** The rows of the first call, which show how large they are. */
const FIRST_PART = 20;

/** The largest size of the rows of a page together, in characters. A single row may be larger. */
export const MOST_OF_PAGE = 1_048_576;

/** The most rows that one call of the store reads in a search without an index. */
const SLICE = 1_000;

/** The most rows that one request reads in such a search. It then stops, and returns its position. */
export const MOST_LOOKED_AT = 50_000;

/** A part of a list, between two positions. */
export interface Slice<Position> {
  readonly after?: Position;
  readonly until?: Position;
}

/**
 * Cuts a list into slices of {@link SLICE} rows.
 *
 * @param at finds the row at an offset from a position, or from the beginning; `undefined`: there are fewer rows
 * @param most the most rows; default: the limit of one request
 */
export async function* slices<Position>(
  after: Position | undefined,
  at: (after: Position | undefined, offset: number) => Promise<Position | undefined>,
  most = MOST_LOOKED_AT,
): AsyncGenerator<Slice<Position>, void> {
  let begin = after;
  for (let looked = 0; looked < most; looked += SLICE) {
    const until = await at(begin, SLICE - 1);
    yield { ...(begin !== undefined && { after: begin }), ...(until !== undefined && { until }) };
    if (until === undefined) return;
    begin = until;
  }
}

/** The rows found, and the position from which to continue: `null` at the end of the list. */
export interface Found<Row, Position> {
  readonly rows: readonly Row[];
  readonly next: Position | null;
  /** Whether more rows would have been too large for one page. */
  readonly cut: boolean;
}

/** Reads a list of the store. */
export interface Listing<Row, Position> {
  list(slice: Slice<Position>, limit: number): Promise<readonly Row[]>;
  /** In characters. */
  sizeOf(row: Row): number;
}

/** Collects rows until there are enough, or they are too large together. */
export class Page<Row> {
  readonly rows: Row[] = [];
  size = 0;
  isFull = false;
  readonly #wanted: number;
  readonly #sizeOf: (row: Row) => number;

  constructor(wanted: number, sizeOf: (row: Row) => number) {
    this.#wanted = wanted;
    this.#sizeOf = sizeOf;
  }

  /** The number of rows that still fit. */
  get missing(): number {
    return this.#wanted - this.rows.length;
  }

  /** How many rows to read next: as many as probably fit, because rows that do not fit would be read in vain. */
  get nextPart(): number {
    const average = this.size / this.rows.length;
    const fitting = this.rows.length === 0 ? FIRST_PART : 1 + Math.ceil((MOST_OF_PAGE - this.size) / average);
    return Math.min(PART, this.missing, fitting);
  }

  get isCut(): boolean {
    return this.isFull && this.missing > 0;
  }

  add(row: Row): void {
    const size = this.size + this.#sizeOf(row);
    if (this.missing === 0 || (size > MOST_OF_PAGE && this.rows.length > 0)) this.isFull = true;
    if (this.isFull) return;
    this.rows.push(row);
    this.size = size;
    this.isFull = this.missing === 0;
  }
}

/** Adds the rows of a slice, in parts, because a synchronous store reads each part without a turn. */
async function fill<Row extends Position, Position>(
  page: Page<Row>,
  slice: Slice<Position>,
  { list }: Listing<Row, Position>,
): Promise<void> {
  let rest = slice;
  for (;;) {
    const asked = page.nextPart;
    const part = await list(rest, asked);
    for (const row of part) page.add(row);
    if (page.isFull || part.length < asked) return;
    rest = { ...slice, after: part.at(-1) as Row };
  }
}

/** Reads up to `wanted` rows of a slice, or as many as fit into one page. */
export async function readSlice<Row extends Position, Position>(
  slice: Slice<Position>,
  wanted: number,
  listing: Listing<Row, Position>,
): Promise<Found<Row, Position>> {
  const page = new Page(wanted, listing.sizeOf);
  await fill(page, slice, listing);
  return { rows: page.rows, next: page.isFull ? (page.rows.at(-1) ?? null) : null, cut: page.isCut };
}

/** Finds up to `wanted` matching rows in the slices, or as many as fit into one page. */
export async function findInSlices<Row extends Position, Position>(
  parts: AsyncIterable<Slice<Position>>,
  wanted: number,
  listing: Listing<Row, Position>,
): Promise<Found<Row, Position>> {
  const page = new Page(wanted, listing.sizeOf);
  let next: Position | null = null;
  for await (const slice of parts) {
    await fill(page, slice, listing);
    if (page.isFull) return { rows: page.rows, next: page.rows.at(-1) ?? null, cut: page.isCut };
    next = slice.until ?? null;
  }
  return { rows: page.rows, next, cut: false };
}

/** A page of the rows found. The search asks for one row more than `limit`, to know whether there is a next page. */
export function pageOf<Row extends Position, Position>(
  found: Found<Row, Position>,
  limit: number,
): Found<Row, Position> {
  if (found.rows.length <= limit) return { ...found, cut: found.cut && found.rows.length < limit };
  const rows = found.rows.slice(0, limit);
  return { rows, next: rows.at(-1) ?? null, cut: false };
}
