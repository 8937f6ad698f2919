import { escapeInvisible } from '../../../domain/text.js';
import type { IssuedToken, TokenPage } from '../../wire/types.js';
import { isSignedOut } from './api.js';
import { keepingFocus } from './dialog.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { sentence } from './form.js';
import { type PageContext, pageHead } from './page.js';
import { mayCreate } from './session.js';
import { announce } from './status.js';
import { emptyState, failedState, loadingTable, pager, table } from './table.js';
import { tabs } from './tabs.js';
import { openCreateToken } from './token-form.js';
import { addressOf, type TokenListView, viewOf } from './token-list-view.js';
import { openSecret } from './token-secret.js';
import { tokenColumns } from './token-table.js';
import { listTokens, type Ownership, type TokenQuery } from './tokens.js';
import { titled } from './words.js';

const PAGE_SIZE = 25;
/** Milliseconds between the last letter and the search. */
const SEARCH_DELAY = 250;

const LISTS: readonly (readonly [Ownership, string])[] = [
  ['personal', 'Personal tokens'],
  ['organization', 'Organization tokens'],
];

/** The lists of personal and organization tokens, with their actions. */
export function tokensPage({ session, signedOut }: PageContext): HTMLElement {
  let view = viewOf(location);
  let reading = new AbortController();
  let timer = 0;
  /** Whether the person may choose between their own tokens and all. */
  const choosesOwner = session.can.listTokens && session.owner !== null;

  const lists = tabs('API tokens', LISTS, view.tab, (tab) => change({ tab, start: 0 }));
  const search = h('input', {
    type: 'search',
    'aria-label': 'Search by name or description',
    placeholder: 'Search by name or description',
    maxlength: 200,
    on: { input: onSearch },
  });
  search.value = view.search;
  const type = filter(
    'Type',
    [['', 'All types'], ...session.types.map(({ name }) => [name, titled(name)] as const)],
    view.type,
    (value) => change({ type: value, start: 0 }),
  );
  const owner = filter<TokenListView['owner']>(
    'Owner',
    [
      ['mine', 'My tokens'],
      ['everyone', 'Everyone’s tokens'],
    ],
    view.owner,
    (value) => change({ owner: value, start: 0 }),
  );
  const list = h('div', {});

  function onSearch(): void {
    clearTimeout(timer);
    timer = window.setTimeout(() => change({ search: search.value.trim(), start: 0 }), SEARCH_DELAY);
  }

  function change(changes: Partial<TokenListView>): void {
    view = { ...view, cursor: '', ...changes };
    history.replaceState(history.state, '', addressOf(view));
    void load();
  }

  function query(): TokenQuery {
    const { tab, search, type, cursor } = view;
    const start = cursor === '' ? view.start : 0;
    const mine = tab === 'personal' && choosesOwner && view.owner === 'mine';
    return {
      ownership: tab,
      start,
      cursor,
      count: PAGE_SIZE,
      search,
      type,
      ...(mine && { owner: session.owner ?? '' }),
    };
  }

  async function load(): Promise<void> {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    owner.hidden = view.tab !== 'personal' || !choosesOwner;
    if (list.childElementCount === 0) replaceContent(list, loadingTable('tokens'));
    list.setAttribute('aria-busy', 'true');
    try {
      const page = await listTokens(query(), signal);
      if (page.items.length === 0 && page.next_cursor === null && view.start > 0) {
        // The last page became empty, so the page before it is shown.
        change({ start: Math.max(0, view.start - PAGE_SIZE) });
        return;
      }
      keepingFocus(list, () => replaceContent(list, shown(page)));
    } catch (error) {
      if (signal.aborted) return;
      if (isSignedOut(error)) return signedOut();
      replaceContent(
        list,
        failedState(sentence(error), () => void load()),
      );
    }
    if (!signal.aborted) list.removeAttribute('aria-busy');
  }

  function shown({ start, total, more, items, next_cursor }: TokenPage): Child {
    // The server searches a limited number of tokens at a time, so a page may be short without being the last.
    const further = view.cursor !== '' || items.length < PAGE_SIZE ? next_cursor : null;
    if (items.length === 0 && further === null && view.cursor === '') return nothing();
    const showOwner = view.tab === 'organization' || (choosesOwner && view.owner === 'everyone');
    const caption = view.tab === 'personal' ? 'Personal tokens' : 'Organization tokens';
    return [
      items.length > 0
        ? table(caption, tokenColumns({ session, showOwner, finished }), items)
        : emptyState('Nothing found here', 'No token fits among those that were searched.'),
      items.length > 0 &&
        view.cursor === '' &&
        pager({
          start,
          shown: items.length,
          total,
          more,
          size: PAGE_SIZE,
          noun: 'token',
          go: (to) => change({ start: to }),
        }),
      (further !== null || view.cursor !== '') && searchOn(further),
    ];
  }

  /** Buttons to continue a search that reached its limit of tokens. */
  function searchOn(further: string | null): Child {
    const button = (text: string, cursor: string) =>
      h('button', { type: 'button', 'data-focus': text, on: { click: () => change({ cursor, start: 0 }) } }, text);
    return h(
      'div',
      { class: 'more' },
      further === null
        ? h('p', { class: 'quiet' }, 'That is all.')
        : h('p', { class: 'quiet' }, 'Older tokens were not searched yet.'),
      view.cursor !== '' && button('Back to the newest', ''),
      further !== null && button('Search further', further),
    );
  }

  function nothing(): HTMLElement {
    if (view.search !== '' || view.type !== '') {
      const clear = h('button', { type: 'button', on: { click: clearFilters } }, 'Clear the search');
      return emptyState('Nothing found', 'No token fits this search and type.', clear);
    }
    if (view.tab === 'personal') {
      return emptyState(
        'No personal tokens',
        'Create a token for a program that calls a deployment, or that manages resources in your name.',
      );
    }
    const text = session.can.manageTokens
      ? 'Create a token that belongs to the organization, for programs that must run on when people leave.'
      : 'Nobody has made a token for the organization yet. Those who manage it can.';
    return emptyState('No organization tokens', text);
  }

  function clearFilters(): void {
    search.value = '';
    type.value = '';
    change({ search: '', type: '', start: 0 });
    search.focus();
  }

  function created(issued: IssuedToken, opener: Element | null): void {
    openSecret('Token created', issued, opener, () => announce(`${escapeInvisible(issued.name)} is created.`));
    const tab = issued.is_organization_token ? 'organization' : 'personal';
    lists.select(tab);
    search.value = '';
    type.value = '';
    change({ tab, search: '', type: '', start: 0 });
  }

  function finished(message: string): void {
    announce(message);
    void load();
  }

  const create = () => openCreateToken(session, view.tab, created);
  lists.panel.append(h('div', { class: 'toolbar', role: 'search' }, search, type, owner), list);
  void load();
  return h(
    'div',
    { class: 'page' },
    pageHead(
      'API Tokens',
      [
        'Credentials for programs that call deployments or manage resources of ',
        foreign(session.organization.name),
        '.',
      ],
      mayCreate(session) && h('button', { type: 'button', class: 'primary', on: { click: create } }, 'Create'),
    ),
    lists.list,
    lists.panel,
  );
}

function filter<Value extends string>(
  label: string,
  options: readonly (readonly [Value, string])[],
  value: Value,
  onChange: (value: Value) => void,
): HTMLSelectElement {
  const select = h(
    'select',
    { 'aria-label': label, on: { change: () => onChange(select.value as Value) } },
    options.map(([key, text]) => h('option', { value: key }, text)),
  );
  select.value = value;
  return select;
}
