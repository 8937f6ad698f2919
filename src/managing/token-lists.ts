import { PosternError } from '../domain/errors.js';
import type { StoredToken } from '../ports/records.js';
import type { Store, TokenFilter, TokenPosition } from '../ports/store.js';
import { type Found, findInSlices, pageOf, slices } from './slices.js';
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
  let left = offset;
  for (; left > STEP; left -= STEP) {
    const [last] = await store.listTokens({ ...filter, ...from(begin), offset: STEP - 1, limit: 1 });
    if (last === undefined) return { rows: [], next: null };
    begin = last;
  }
  const rows = await store.listTokens({ ...filter, ...from(begin), ...(left > 0 && { offset: left }), limit });
  return { rows, next: null };
}

async function search(
  store: Store,
  filter: TokenFilter,
  after: TokenPosition | undefined,
  offset: number,
  limit: number,
): Promise<Found<StoredToken, TokenPosition>> {
  const parts = slices(after, rowsOf(store, filter));
  const list = (slice: object, most: number) => store.listTokens({ ...filter, ...slice, limit: most });
  if (offset > MOST_COUNTED) throw tooFar();
  const { rows, next } = await findInSlices(parts, offset + limit, list);
  if (rows.length < offset && next !== null) throw tooFar();
  return { rows: rows.slice(offset), next };
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
