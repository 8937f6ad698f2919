import { PosternError } from '../domain/errors.js';
import type { StoredToken } from '../ports/records.js';
import type { Store, TokenFilter, TokenPosition } from '../ports/store.js';
import { type Found, findInSlices, type Listing, pageOf, readSlice, type Slice, slices } from './slices.js';
import type { TokenCount } from './tokens-api.js';

/** The highest count, and the most tokens that a search may skip. */
const MOST_COUNTED = 10_000;
/** The most tokens that one call of the store skips. */
const STEP = 5_000;

/** A page that begins `offset` tokens after a position, or after the beginning. */
export interface PageQuery {
  readonly after?: TokenPosition | undefined;
  readonly offset: number;
  readonly limit: number;
}

/**
 * A page of tokens. Without an index the search reads a bounded number of tokens. It may then return fewer than `limit`; `next`
 * is the position from which to continue.
 *
 * @throws PosternError `input_invalid` for an offset beyond that bound
 */
export async function findTokens(
  store: Store,
  filter: TokenFilter,
  { after, offset, limit }: PageQuery,
): Promise<Found<StoredToken, TokenPosition>> {
  const find = isIndexed(filter) ? readPage : search;
  return pageOf(await find(store, filter, after, offset, limit + 1), limit);
}

/** The number of tokens, up to the bounds. */
export async function countTokens(store: Store, filter: TokenFilter): Promise<TokenCount> {
  if (isIndexed(filter)) return counted(await store.countTokens(filter, MOST_COUNTED + 1), false);
  let count = 0;
  let more = false;
  for await (const slice of slices(undefined, rowsOf(store, filter))) {
    count += await store.countTokens({ ...filter, ...slice }, MOST_COUNTED + 1 - count);
    more = slice.until !== undefined;
    if (count > MOST_COUNTED) break;
  }
  return counted(count, more);
}

function counted(count: number, more: boolean): TokenCount {
  return { count: Math.min(count, MOST_COUNTED), more: more || count > MOST_COUNTED };
}

async function readPage(
  store: Store,
  filter: TokenFilter,
  after: TokenPosition | undefined,
  offset: number,
  limit: number,
): Promise<Found<StoredToken, TokenPosition>> {
  let begin = after;
  for (let left = offset; left > 0; left -= STEP) {
    const [last] = await store.listTokens({ ...filter, ...from(begin), offset: Math.min(left, STEP) - 1, limit: 1 });
    if (last === undefined) return { rows: [], next: null, cut: false };
    begin = last;
  }
  return readSlice(from(begin), limit, listingOf(store, filter));
}

async function search(
  store: Store,
  filter: TokenFilter,
  after: TokenPosition | undefined,
  offset: number,
  limit: number,
): Promise<Found<StoredToken, TokenPosition>> {
  if (offset > MOST_COUNTED) throw tooFar();
  const parts = slices(after, rowsOf(store, filter));
  return findInSlices(behind(offset, parts, store, filter), limit, listingOf(store, filter));
}

/** What is left of the slices behind so many tokens that fit. @throws PosternError `input_invalid` where that is not reached */
async function* behind(
  offset: number,
  parts: AsyncIterable<Slice<TokenPosition>>,
  store: Store,
  filter: TokenFilter,
): AsyncGenerator<Slice<TokenPosition>, void> {
  let left = offset;
  let more = false;
  for await (const slice of parts) {
    const here = { ...filter, ...slice };
    more = slice.until !== undefined;
    const passed = left === 0 ? 0 : await store.countTokens(here, left);
    if (left === 0) yield slice;
    else if (passed === left) {
      const [last] = await store.listTokens({ ...here, offset: left - 1, limit: 1 });
      yield last === undefined ? slice : { ...slice, after: last };
    }
    left -= passed;
  }
  if (left > 0 && more) throw tooFar();
}

function listingOf(store: Store, filter: TokenFilter): Listing<StoredToken, TokenPosition> {
  return {
    list: (slice, limit) => store.listTokens({ ...filter, ...slice, limit }),
    sizeOf: sizeOfToken,
  };
}

/** In characters. Of a damaged row, whose fields may be anything, only texts count. */
export function sizeOfToken({ name, description, types, metadata }: StoredToken): number {
  return [name, description, types, metadata].reduce(
    (size, each) => size + (typeof each === 'string' ? each.length : 0),
    0,
  );
}

/** Finds positions in the smallest indexed list that contains all matching tokens. */
export function rowsOf(store: Store, { organization, owner, ownership }: TokenFilter) {
  const indexed: TokenFilter = {
    organization,
    ...(organization !== null && (owner !== undefined ? { owner } : ownership !== undefined && { ownership })),
  };
  return async (after: TokenPosition | undefined, offset: number): Promise<TokenPosition | undefined> => {
    const [row] = await store.listTokens({ ...indexed, ...from(after), offset, limit: 1 });
    return row;
  };
}

/** Whether the store reads this list in order, without other rows: see `Store.listTokens`. */
function isIndexed({ organization, owner, ownership, ...others }: TokenFilter): boolean {
  if (Object.keys(others).length > 0) return false;
  return organization === null ? owner === undefined && ownership === undefined : !(owner && ownership);
}

function from(after: TokenPosition | undefined): { readonly after?: TokenPosition } {
  return after === undefined ? {} : { after };
}

function tooFar(): PosternError {
  return new PosternError('input_invalid', 'is too large for a search: use the cursor of the page before', {
    path: 'offset',
  });
}
