import type { Connection } from './connection.js';
import type { Listing } from './keys.js';
import type { Script } from './script.js';

/** The most rows that one script reads. The server does nothing else meanwhile. */
const MOST = 500;
/** The same if most rows may not match. */
const FILTERED = 200;

interface Position {
  readonly time: number;
  readonly id: string;
}

export interface ListingQuery<T> {
  readonly connection: Connection;
  /**
   * Takes the upper and the lower bound, the number of rows, the position of ids, and the number of rows to skip. Returns `page`
   * with members, then columns of their rows.
   */
  readonly script: Script;
  readonly listing: Listing;
  /** The position that the page begins after. */
  readonly after?: Position | undefined;
  /** The last position of the page. */
  readonly until?: Position | undefined;
  /** Whether some rows may not match. */
  readonly filtered: boolean;
  /** Makes a row from the columns; `null` if it is gone. */
  read(member: string, columns: readonly unknown[]): T | null;
  fits(row: T): boolean;
}

/** The first `limit` matching rows of a listing, newest first. */
export async function readListing<T>(query: ListingQuery<T>, limit: number, offset = 0): Promise<readonly T[]> {
  if (limit <= 0) return [];
  const rows: T[] = [];
  // If some rows don't match, rows must be read to know how many to skip.
  let toPass = query.filtered ? offset : 0;
  await scan(
    query,
    query.filtered ? 0 : offset,
    () => limit - rows.length,
    (row) => {
      if (toPass > 0) toPass--;
      else rows.push(row);
      return rows.length < limit;
    },
  );
  return rows;
}

/** The number of matching rows, up to `atMost`. */
export async function countListing<T>(query: ListingQuery<T>, atMost: number): Promise<number> {
  if (atMost <= 0) return 0;
  let count = 0;
  await scan(
    query,
    0,
    () => MOST,
    () => ++count < atMost,
  );
  return count;
}

/** @param take gets each matching row, and returns whether to continue */
async function scan<T>(
  query: ListingQuery<T>,
  offset: number,
  wanted: () => number,
  take: (row: T) => boolean,
): Promise<void> {
  const { connection, script, listing, after, until } = query;
  let upper = after === undefined ? listing.end : `(${listing.at(after.time)}${after.id}`;
  const lower = until === undefined ? listing.first : `[${listing.at(until.time)}${until.id}`;
  let skip = offset;
  for (;;) {
    const size = query.filtered ? FILTERED : Math.min(MOST, wanted());
    const args = [upper, lower, String(size), listing.idStart, String(skip)];
    const [, members, ...columns] = (await connection.run(script, ...args)) as unknown as [
      string,
      string[],
      ...unknown[][],
    ];
    for (const [index, member] of members.entries()) {
      const row = query.read(
        member,
        columns.map((column) => column[index]),
      );
      if (row !== null && query.fits(row) && !take(row)) return;
    }
    if (members.length < size) return;
    upper = `(${members.at(-1)}`;
    skip = 0;
  }
}
