import type { Connection } from './connection.js';
import type { Listing } from './keys.js';
import type { Script } from './script.js';

/** How many rows one script reads at most: the server does nothing else meanwhile. */
const MOST = 500;
/** The same where most of them may not fit. */
const FILTERED = 200;

export interface ListingQuery<T> {
  readonly connection: Connection;
  /** Takes the upper and the lower bound, how many, and where ids begin. Answers with members, then columns of their rows. */
  readonly script: Script;
  readonly listing: Listing;
  /** The position that the page begins after. */
  readonly after: { readonly time: number; readonly id: string } | undefined;
  readonly limit: number;
  /** Whether rows may not fit. */
  readonly filtered: boolean;
  /** A row of the columns; `null` where it is gone. */
  read(member: string, columns: readonly unknown[]): T | null;
  fits(row: T): boolean;
}

/** Rows of a listing, newest first, read by its order: as many as asked for, whatever part of them fits. */
export async function readListing<T>(query: ListingQuery<T>): Promise<readonly T[]> {
  const { connection, script, listing, after, limit } = query;
  const rows: T[] = [];
  let upper = after === undefined ? listing.end : `(${listing.at(after.time)}${after.id}`;
  while (rows.length < limit) {
    const size = query.filtered ? FILTERED : Math.min(MOST, limit - rows.length);
    const reply = await connection.run(script, upper, listing.first, String(size), listing.idStart);
    const [, members, ...columns] = reply as unknown as [string, string[], ...unknown[][]];
    for (const [index, member] of members.entries()) {
      const row = query.read(
        member,
        columns.map((column) => column[index]),
      );
      if (row !== null && query.fits(row)) rows.push(row);
    }
    if (members.length < size) break;
    upper = `(${members.at(-1)}`;
  }
  return rows.slice(0, limit);
}
