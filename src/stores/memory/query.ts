import { endsIn, stateAt } from '../../domain/token-state.js';
import type { Change, ChangeQuery } from '../../ports/changes.js';
import type { StoredToken } from '../../ports/records.js';
import type { TokenFilter } from '../../ports/store.js';
import { isBy } from '../shared/actors.js';

/** Whether a token meets the filter, without its positions. */
export function matches(token: StoredToken, filter: TokenFilter): boolean {
  return (
    (filter.organization === null || token.organization === filter.organization) &&
    (filter.owner === undefined || token.owner === filter.owner) &&
    (filter.ownership === undefined || token.ownership === filter.ownership) &&
    (filter.revoked === undefined || (token.revokedAt !== null) === filter.revoked) &&
    (filter.state === undefined || stateAt(token, filter.state.at) === filter.state.is) &&
    (filter.ends === undefined || endsIn(token, filter.ends)) &&
    (filter.type === undefined || token.typeNames.includes(filter.type)) &&
    (filter.search === undefined || holds(token.name, filter.search) || holds(token.description, filter.search))
  );
}

/** Whether a change meets the query, without its positions. */
export function isAsked(change: Change, query: ChangeQuery): boolean {
  return (
    (query.organization === null || change.organization === query.organization) &&
    (query.subject === undefined || change.subject === query.subject) &&
    (query.type === undefined || change.type === query.type) &&
    (query.actor === undefined || isBy(change.actor, query.actor))
  );
}

export function positionOf({ at, id }: { readonly at: number; readonly id: string }): Position {
  return { createdAt: at, id };
}

/** Ignores the case of ASCII letters only, because every database can do that in the same way. */
function holds(text: string, search: string): boolean {
  return lower(text).includes(lower(search));
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** A position in the order of a page. */
export interface Position {
  readonly createdAt: number;
  readonly id: string;
}

/** The index of a position in a list that begins with the oldest row. The position need not be in the list. */
export function placeOf<Row>(rows: readonly Row[], position: Position, of: (row: Row) => Position): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (newestFirst(of(rows[middle] as Row), position) > 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order of every page: newest first, then ids from the highest, by code unit. */
export function newestFirst(a: Position, b: Position): number {
  if (a.createdAt !== b.createdAt) return b.createdAt - a.createdAt;
  return a.id < b.id ? 1 : a.id > b.id ? -1 : 0;
}
