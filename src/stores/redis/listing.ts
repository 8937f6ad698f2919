import type { Connection } from './connection.js';
import type { Listing } from './keys.js';
import type { Script } from './script.js';

/** How many rows one script reads at most: the server does nothing else meanwhile. */
const MOST = 500;
/** The same where most of them may not fit. */
const FILTERED = 200;

interface Position {
  readonly time: number;
  readonly id: string;
}

export interface ListingQuery<T> {
  readonly connection: Connection;
  /**
   * Takes the upper and the lower bound, how many, where ids begin, and how many to pass over. Answers `page` with members,
   * then columns of their rows.
   */
  readonly script: Script;
  readonly listing: Listing;
  /** The position that the page begins after. */
  readonly after?: Position | undefined;
  /** The last position of the page. */
  readonly until?: Position | undefined;
  /** Whether rows may not fit. */
  readonly filtered: boolean;
  /** A row of the columns; `null` where it is gone. */
  read(member: string, columns: readonly unknown[]): T | null;
  fits(row: T): boolean;
}

/** Rows of a listing, newest first, read by its order: as many as asked for, whatever part of them fits. */
export async function readListing<T>(query: ListingQuery<T>, limit: number, offset = 0): Promise<readonly T[]> {
  if (limit <= 0) return [];
  const rows: T[] = [];
  // Where some don't fit, only reading them tells how many to pass over.
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

/** How many rows fit, counted up to `atMost`. */
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

/** @param take is handed each row that fits, and says whether it wants more */
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
