/** The most rows that one call of the store reads in a search without an index. */
const SLICE = 1_000;

/** The most rows that one request reads in such a search. It then stops, and returns its position. */
export const MOST_LOOKED_AT = 50_000;

/** A part of a list, between two positions. */
interface Slice<Position> {
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
}

/** Finds up to `wanted` matching rows in the slices. */
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

/** A page of the rows found. The search asks for one row more than `limit`, to know whether there is a next page. */
export function pageOf<Row extends Position, Position>(
  { rows, next }: Found<Row, Position>,
  limit: number,
): Found<Row, Position> {
  if (rows.length <= limit) return { rows, next };
  const shown = rows.slice(0, limit);
  return { rows: shown, next: shown.at(-1) ?? null };
}
