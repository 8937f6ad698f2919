/** How many rows one call of the store looks at, where no index tells which of them fit. */
const SLICE = 1_000;

/** How many rows one request looks at, then. It stops there, and says where. */
export const MOST_LOOKED_AT = 50_000;

/** A part of a list, between two positions. */
interface Slice<Position> {
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

/** Up to `wanted` rows that fit, of as many as one request may look at. */
export async function findInSlices<Row extends Position, Position>(
  parts: AsyncIterable<Slice<Position>>,
  wanted: number,
  list: (slice: Slice<Position>, limit: number) => Promise<readonly Row[]>,
): Promise<Found<Row, Position>> {
  const rows: Row[] = [];
  let next: Position | null = null;
  for await (const slice of parts) {
    rows.push(...(await list(slice, wanted - rows.length)));
    if (rows.length >= wanted) return { rows, next: rows.at(-1) ?? null };
    next = slice.until ?? null;
  }
  return { rows, next };
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
