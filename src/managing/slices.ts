/** How many rows one call of the store gives: a page of the usual length, and one row more. */
const PART = 101;
/**
 * How large the rows of a page are together at most, in characters; one row may be larger. What they are made of is bounded, and
 * how many there are, but 1,000 of the largest would be 80 MB.
 */
export const MOST_OF_PAGE = 1_048_576;

/** How many rows one call of the store looks at, where no index tells which of them fit. */
const SLICE = 1_000;

/** How many rows one request looks at, then. It stops there, and says where. */
export const MOST_LOOKED_AT = 50_000;

/** A part of a list, between two positions. */
export interface Slice<Position> {
  readonly after?: Position;
  readonly until?: Position;
}

/**
 * Goes through a list in parts of some rows each.
 *
 * @param at the row that stands so many rows after a position, or after the beginning; `undefined`: there are fewer
 * @param most rows that are gone through; default: as many as one request may look at
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

/** Rows that were found, and where to go on: `null` at the end of the list. */
export interface Found<Row, Position> {
  readonly rows: readonly Row[];
  readonly next: Position | null;
}

/** How a list of the store is read. */
export interface Listing<Row, Position> {
  list(slice: Slice<Position>, limit: number): Promise<readonly Row[]>;
  /** In characters. */
  sizeOf(row: Row): number;
}

/** Rows that are added until there are enough of them, or they are large enough together. */
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

  /** How many more are wanted. */
  get missing(): number {
    return this.#wanted - this.rows.length;
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

/** Adds the rows of a slice, in parts: a store that never waits reads each part in one go. */
async function fill<Row extends Position, Position>(
  page: Page<Row>,
  slice: Slice<Position>,
  { list }: Listing<Row, Position>,
): Promise<void> {
  let rest = slice;
  for (;;) {
    const asked = Math.min(PART, page.missing);
    const part = await list(rest, asked);
    for (const row of part) page.add(row);
    if (page.isFull || part.length < asked) return;
    rest = { ...slice, after: part.at(-1) as Row };
  }
}

/** Up to `wanted` rows of a slice, or as many as one page holds. */
export async function readSlice<Row extends Position, Position>(
  slice: Slice<Position>,
  wanted: number,
  listing: Listing<Row, Position>,
): Promise<Found<Row, Position>> {
  const page = new Page(wanted, listing.sizeOf);
  await fill(page, slice, listing);
  return { rows: page.rows, next: page.isFull ? (page.rows.at(-1) ?? null) : null };
}

/** Up to `wanted` rows that fit, of as many as one request may look at, or as many as one page holds. */
export async function findInSlices<Row extends Position, Position>(
  parts: AsyncIterable<Slice<Position>>,
  wanted: number,
  listing: Listing<Row, Position>,
): Promise<Found<Row, Position>> {
  const page = new Page(wanted, listing.sizeOf);
  let next: Position | null = null;
  for await (const slice of parts) {
    await fill(page, slice, listing);
    if (page.isFull) return { rows: page.rows, next: page.rows.at(-1) ?? null };
    next = slice.until ?? null;
  }
  return { rows: page.rows, next };
}

/** A page of what was found. One row more was asked for than it shows, to know whether there is one. */
export function pageOf<Row extends Position, Position>(
  { rows, next }: Found<Row, Position>,
  limit: number,
): Found<Row, Position> {
  if (rows.length <= limit) return { rows, next };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: shown.at(-1) ?? null };
}
