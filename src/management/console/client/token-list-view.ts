import type { Ownership } from './tokens.js';

/** The shown part of the list. It is in the address, so it survives a reload and can be shared. */
export interface TokenListView {
  readonly tab: Ownership;
  readonly search: string;
  readonly type: string;
  readonly owner: 'everyone' | 'mine';
  readonly start: number;
  /** The cursor at which a long search continues; empty: at the newest token. */
  readonly cursor: string;
}

export function viewOf(address: Location): TokenListView {
  const query = new URLSearchParams(address.search);
  const start = Number(query.get('start'));
  return {
    tab: query.get('tab') === 'organization' ? 'organization' : 'personal',
    search: query.get('search') ?? '',
    type: query.get('type') ?? '',
    owner: query.get('owner') === 'everyone' ? 'everyone' : 'mine',
    cursor: query.get('cursor') ?? '',
    start: Number.isSafeInteger(start) && start > 0 ? start : 0,
  };
}

/** The address of a view, without defaults. */
export function addressOf(view: TokenListView): string {
  const query = new URLSearchParams();
  if (view.tab === 'organization') query.set('tab', view.tab);
  if (view.search !== '') query.set('search', view.search);
  if (view.type !== '') query.set('type', view.type);
  if (view.owner === 'everyone') query.set('owner', view.owner);
  if (view.cursor !== '') query.set('cursor', view.cursor);
  if (view.start > 0) query.set('start', String(view.start));
  return query.size === 0 ? location.pathname : `${location.pathname}?${query}`;
}
