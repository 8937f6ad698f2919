import type { Session, Token, TokenPage } from '../../../wire/types.js';
import { listTokens, type Ownership } from './calls.js';
import { TOKEN_STATES, type TokenState } from './state.js';

export type Sort = 'created' | 'name' | 'ends' | 'used' | 'unused';
export type Ends = '' | '7' | '30' | 'never';
const SORTS: readonly Sort[] = ['created', 'name', 'ends', 'used', 'unused'];
const ENDS: readonly Ends[] = ['', '7', '30', 'never'];

/** The shown part of the list. It is in the address, so it survives a reload and can be shared. */
export interface View {
  readonly tab: Ownership;
  readonly search: string;
  readonly state: TokenState | '';
  readonly type: string;
  readonly owner: 'everyone' | 'mine';
  readonly ends: Ends;
  readonly sort: Sort;
  readonly start: number;
  /** The cursor at which a long search continues; empty: at the newest token. */
  readonly cursor: string;
}

const DEFAULTS: View = {
  tab: 'personal',
  search: '',
  state: '',
  type: '',
  owner: 'mine',
  ends: '',
  sort: 'created',
  start: 0,
  cursor: '',
};

export const NO_FILTER = { search: '', state: '', type: '', ends: '', start: 0 } as const;

export function viewOf(address: Location): View {
  const query = new URLSearchParams(address.search);
  const one = <Value extends string>(name: string, known: readonly Value[], fallback: Value) =>
    known.find((each) => each === query.get(name)) ?? fallback;
  const start = Number(query.get('start'));
  return {
    tab: one('tab', ['organization', 'personal'], 'personal'),
    search: query.get('search') ?? '',
    state: one('state', ['', ...TOKEN_STATES], ''),
    type: query.get('type') ?? '',
    owner: one('owner', ['everyone', 'mine'], 'mine'),
    ends: one('ends', ENDS, ''),
    sort: one('sort', SORTS, 'created'),
    cursor: query.get('cursor') ?? '',
    start: Number.isSafeInteger(start) && start > 0 ? start : 0,
  };
}

/** The address of a view, without defaults. */
export function addressOf(view: View): string {
  const changed = Object.entries(view).filter(([key, value]) => value !== DEFAULTS[key as keyof View]);
  const query = new URLSearchParams(changed.map(([key, value]) => [key, String(value)]));
  return query.size === 0 ? location.pathname : `${location.pathname}?${query}`;
}

export function isFiltered({ search, state, type, ends }: View): boolean {
  return search !== '' || state !== '' || type !== '' || ends !== '';
}

export const PAGE_SIZE = 25;
/** The most tokens that are read to sort them: the server has them by age only. */
const MOST_SORTED = 1_000;

/** A page of the list. */
export interface Found extends Pick<TokenPage, 'start' | 'total' | 'more' | 'items' | 'next_cursor'> {
  /** Only the newest tokens were sorted, as many as this, and there are more. */
  readonly onlyNewest: number | null;
}

/** Reads the page of a view. */
export async function readPage(view: View, session: Session, signal: AbortSignal): Promise<Found> {
  const choosesOwner = session.can.listTokens && session.owner !== null;
  const mine = view.tab === 'personal' && choosesOwner && view.owner === 'mine';
  const query = {
    ownership: view.tab,
    search: view.search,
    type: view.type,
    state: view.state,
    expires: view.ends === '' || view.ends === 'never' ? view.ends : `${view.ends}d`,
    ...(mine && { owner: session.owner ?? '' }),
  };
  if (view.sort === 'created') {
    const start = view.cursor === '' ? view.start : 0;
    const page = await listTokens({ ...query, start, cursor: view.cursor, count: PAGE_SIZE }, signal);
    return { ...page, onlyNewest: null };
  }
  const { read, isAll } = await readMany(query, signal);
  const items = read.sort(ORDERS[view.sort]);
  return {
    start: view.start,
    total: items.length,
    more: false,
    items: items.slice(view.start, view.start + PAGE_SIZE),
    next_cursor: null,
    onlyNewest: isAll ? null : read.length,
  };
}

/** Matching tokens, newest first, up to a bound. */
async function readMany(query: Omit<Parameters<typeof listTokens>[0], 'start' | 'count'>, signal: AbortSignal) {
  const read: Token[] = [];
  let cursor: string | null = null;
  do {
    const page: TokenPage = await listTokens({ ...query, start: 0, cursor, count: 500 }, signal);
    read.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && read.length < MOST_SORTED);
  return { read, isAll: cursor === null };
}

const time = (iso: string | null, none: number) => (iso === null ? none : Date.parse(iso));

const ORDERS: Readonly<Record<Sort, (a: Token, b: Token) => number>> = {
  created: (a, b) => Date.parse(b.created_at) - Date.parse(a.created_at),
  name: (a, b) => a.name.localeCompare(b.name),
  ends: (a, b) => compare(ending(a), ending(b)),
  used: (a, b) => time(b.last_used_at, 0) - time(a.last_used_at, 0),
  unused: (a, b) => time(a.last_used_at, 0) - time(b.last_used_at, 0),
};

/** Ended tokens do not expire next, nor do those without an end. */
function ending(token: Token): number {
  return token.is_expired ? Number.POSITIVE_INFINITY : time(token.expired_at, Number.MAX_SAFE_INTEGER);
}

/** `Infinity - Infinity` is no number. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
