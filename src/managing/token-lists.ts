import { PosternError } from '../domain/errors.js';
import type { StoredToken } from '../ports/records.js';
import type { Store, TokenFilter, TokenPosition } from '../ports/store.js';
import { type Found, findInSlices, pageOf, slices } from './slices.js';
import type { TokenCount } from './tokens-api.js';

/** Tokens are counted so far, and passed over so far in a search. */
const MOST_COUNTED = 10_000;
/** How many tokens one call of the store passes over. */
const STEP = 5_000;

/** A page that begins after a position, or so many tokens after the beginning. */
export interface PageQuery {
  readonly after?: TokenPosition | undefined;
  readonly offset: number;
  readonly limit: number;
}

/**
 * A page of tokens. What the store has no index for is looked for in a bounded number of tokens: then there are fewer than
 * `limit`, and `next` says where the others begin.
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

/** How many tokens there are, as far as they are counted. */
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

/** The rows among which those that fit are looked for. */
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

/** Whether each of these conditions alone, or the organization with one of them, is read in order: see `Store.listTokens`. */
function isIndexed({ organization, owner, ownership, ...others }: TokenFilter): boolean {
  if (Object.keys(others).length > 0) return false;
  return organization === null ? owner === undefined && ownership === undefined : !(owner && ownership);
}

function from(after: TokenPosition | undefined): { readonly after?: TokenPosition } {
  return after === undefined ? {} : { after };
}

function tooFar(): PosternError {
  return new PosternError(
    'input_invalid',
    'is further than a search goes by number: go on with the cursor of the page before',
    { path: 'offset' },
  );
}
