import { useEffect, useRef, useState } from 'preact/hooks';
import { escapeInvisible } from '../../../../domain/text.js';
import type { IssuedToken, Token } from '../../../wire/types.js';
import { ApiError } from '../api.js';
import { t, tx } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { giveFocusBack, openDialog } from '../parts/dialog.js';
import { Filter, Search } from '../parts/fields.js';
import { Empty, Failed, Loading, PageHead } from '../parts/page.js';
import { announce } from '../parts/status.js';
import { Table } from '../parts/table.js';
import { Tabs } from '../parts/tabs.js';
import { Foreign } from '../parts/text.js';
import { mayCreate, mayManage } from '../session.js';
import { RevokeMany } from '../tokens/actions.js';
import type { Ownership } from '../tokens/calls.js';
import { tokenColumns } from '../tokens/columns.js';
import { labelOf } from '../tokens/grants.js';
import { Secret } from '../tokens/secret.js';
import { isAlive, STATES, type State } from '../tokens/state.js';
import { CreateToken } from '../tokens/token-form.js';
import {
  addressOf,
  type Ends,
  type Found,
  isFiltered,
  NO_FILTER,
  PAGE_SIZE,
  readPage,
  type Sort,
  type View,
  viewOf,
} from '../tokens/view.js';
import { useRead } from '../use-read.js';

/** Milliseconds between the last letter and the search. */
const SEARCH_DELAY = 250;

/** The lists of personal and organization tokens, with their actions. */
export function TokensPage() {
  const { session } = usePage();
  const [view, setView] = useState(() => viewOf(location));
  const [search, setSearch] = useState(view.search);
  const [selected, select] = useState<ReadonlySet<string>>(new Set());
  const list = useRead((signal) => readPage(view, session, signal), [addressOf(view)]);
  const searchBox = useRef<HTMLElement>(null);
  const timer = useRef(0);
  const found = list.state === 'read' ? list.value : null;

  function change(changes: Partial<View>): void {
    const next = { ...view, cursor: '', start: 0, ...changes };
    setView(next);
    select(new Set());
    history.replaceState(history.state, '', addressOf(next));
  }

  useEffect(() => {
    // The last page became empty, so the page before it is shown.
    if (found?.items.length === 0 && found.next_cursor === null && view.start > 0) {
      change({ start: Math.max(0, view.start - PAGE_SIZE) });
    }
    // The row with the focus may be gone.
    if (found && document.activeElement === document.body) giveFocusBack(null);
  }, [found]);

  function onSearch(text: string): void {
    setSearch(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => change({ search: text.trim() }), SEARCH_DELAY);
  }

  function clear(): void {
    setSearch('');
    change(NO_FILTER);
    searchBox.current?.querySelector('input')?.focus();
  }

  function created(issued: IssuedToken): void {
    const done = () => announce(t('done.created', { name: escapeInvisible(issued.name) }));
    openDialog((close) => <Secret close={close} title={t('secret.created')} token={issued} done={done} />);
    setSearch('');
    change({ ...NO_FILTER, sort: 'created', tab: issued.is_organization_token ? 'organization' : 'personal' });
    list.again();
  }

  const chosen = (found?.items ?? []).filter((token) => selected.has(token.uid) && isAlive(token));

  return (
    <div class="page">
      <PageHead
        title={t('nav.tokens')}
        lead={tx('tokens.lead', { organization: <Foreign text={session.organization.name} /> })}
        actions={
          mayCreate(session) && (
            <Button
              kind="primary"
              onClick={() => openDialog((close) => <CreateToken close={close} ownership={view.tab} done={created} />)}
            >
              {t('tokens.create')}
            </Button>
          )
        }
      />
      <Tabs<Ownership>
        label={t('tokens.lists')}
        items={[
          ['personal', t('tokens.personal')],
          ['organization', t('tokens.organization')],
        ]}
        selected={view.tab}
        onSelect={(tab) => change({ tab })}
      >
        <search class="toolbar" ref={searchBox}>
          <Search label={t('tokens.search')} value={search} onInput={onSearch} />
          <Filters view={view} change={change} />
        </search>
        {chosen.length > 0 && (
          <Selection
            tokens={chosen}
            clear={() => select(new Set())}
            revoked={() => {
              select(new Set());
              list.again();
            }}
          />
        )}
        <div aria-busy={list.busy}>
          {list.state === 'loading' && <Loading />}
          {list.state === 'failed' && <NotRead error={list.error} retry={list.again} />}
          {found && (
            <TokenList
              found={found}
              view={view}
              selected={selected}
              select={select}
              change={change}
              clear={clear}
              again={list.again}
            />
          )}
        </div>
      </Tabs>
    </div>
  );
}

function NotRead({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  if (error instanceof ApiError && error.status === 403) {
    return <Empty title={t('tokens.mayNotSee')}>{t('tokens.mayNotSeeText')}</Empty>;
  }
  return <Failed error={error} retry={retry} />;
}

interface FiltersProps {
  readonly view: View;
  readonly change: (changes: Partial<View>) => void;
}

function Filters({ view, change }: FiltersProps) {
  const { session } = usePage();
  return (
    <div class="filters">
      <Filter<State | ''>
        label={t('tokens.status')}
        value={view.state}
        options={[['', t('tokens.anyStatus')], ...STATES.map((state) => [state, t(`status.${state}`)] as const)]}
        onChange={(state) => change({ state })}
      />
      <Filter
        label={t('tokens.type')}
        value={view.type}
        options={[['', t('tokens.anyType')], ...session.types.map((type) => [type.name, labelOf(type)] as const)]}
        onChange={(type) => change({ type })}
      />
      {view.tab === 'personal' && session.can.listTokens && session.owner !== null && (
        <Filter<View['owner']>
          label={t('tokens.owner')}
          value={view.owner}
          options={[
            ['mine', t('tokens.mine')],
            ['everyone', t('tokens.everyone')],
          ]}
          onChange={(owner) => change({ owner })}
        />
      )}
      <Filter<Ends>
        label={t('tokens.ends')}
        value={view.ends}
        options={[
          ['', t('tokens.anyEnd')],
          ['7', t('tokens.within7')],
          ['30', t('tokens.within30')],
          ['never', t('tokens.noEnd')],
        ]}
        onChange={(ends) => change({ ends })}
      />
      <Filter<Sort>
        label={t('tokens.sort')}
        value={view.sort}
        options={(['created', 'name', 'ends', 'used', 'unused'] as const).map((sort) => [
          sort,
          t(`tokens.sort.${sort}`),
        ])}
        onChange={(sort) => change({ sort })}
      />
    </div>
  );
}

interface SelectionProps {
  readonly tokens: readonly Token[];
  readonly clear: () => void;
  readonly revoked: () => void;
}

/** The selected tokens, and what can be done with all of them. */
function Selection({ tokens, clear, revoked }: SelectionProps) {
  return (
    <div class="selection" role="status">
      <p>{t('tokens.selected', { count: tokens.length })}</p>
      <Button
        kind="danger-plain"
        onClick={() => openDialog((close) => <RevokeMany close={close} tokens={tokens} closed={revoked} />)}
      >
        {t('tokens.revokeSelected')}
      </Button>
      <Button kind="plain" onClick={clear}>
        {t('tokens.unselect')}
      </Button>
    </div>
  );
}

interface TokenListProps extends FiltersProps {
  readonly found: Found;
  readonly selected: ReadonlySet<string>;
  readonly select: (selected: ReadonlySet<string>) => void;
  readonly clear: () => void;
  readonly again: () => void;
}

function TokenList({ found, view, selected, select, change, clear, again }: TokenListProps) {
  const { session } = usePage();
  const { items, next_cursor, onlyNewest } = found;
  // The server searches a limited number of tokens at a time, so a page may be short without being the last.
  const further = view.cursor !== '' || items.length < PAGE_SIZE ? next_cursor : null;
  const isPart = further !== null || view.cursor !== '';
  const selection = {
    selected,
    select,
    selectable: items.filter((token) => isAlive(token) && mayManage(session, token)).map(({ uid }) => uid),
  };
  const showOwner = view.tab === 'organization' || view.owner === 'everyone';
  return (
    <>
      {items.length > 0 ? (
        <Table
          caption={t(view.tab === 'personal' ? 'tokens.personal' : 'tokens.organization')}
          columns={tokenColumns({ session, showOwner, selection, changed: again })}
          rows={items}
          keyOf={({ uid }) => uid}
          isSelected={({ uid }) => selected.has(uid)}
        />
      ) : (
        <Nothing view={view} clear={clear} isPart={isPart} />
      )}
      {onlyNewest !== null && <p class="quiet after">{t('tokens.notAll', { count: onlyNewest })}</p>}
      {items.length > 0 && view.cursor === '' && !isPart && <Pager found={found} go={(start) => change({ start })} />}
      {isPart && (
        <div class="more">
          <p class="quiet">{t(further === null ? 'app.all' : 'tokens.notSearched')}</p>
          {view.cursor !== '' && <Button onClick={() => change({})}>{t('tokens.newest')}</Button>}
          {further !== null && <Button onClick={() => change({ cursor: further })}>{t('tokens.searchOn')}</Button>}
        </div>
      )}
    </>
  );
}

interface NothingProps {
  readonly view: View;
  readonly clear: () => void;
  readonly isPart: boolean;
}

/** An empty list: nothing matches, or nothing is there, and who could change that. */
function Nothing({ view, clear, isPart }: NothingProps) {
  const { session } = usePage();
  if (isFiltered(view) || isPart) {
    return (
      <Empty title={t('tokens.noMatch')} action={<Button onClick={clear}>{t('tokens.clear')}</Button>}>
        {t('tokens.noMatchText')}
      </Empty>
    );
  }
  const shared = view.tab === 'organization';
  const mayMake = shared ? session.can.manageTokens : mayCreate(session);
  const text = shared ? 'tokens.nothingYetOrganizationText' : 'tokens.nothingYetText';
  return (
    <Empty title={t(shared ? 'tokens.nothingYetOrganization' : 'tokens.nothingYet')}>
      {t(mayMake ? text : 'tokens.nothingYetReader')}
    </Empty>
  );
}

/** `1–25 of 312 tokens`, with buttons for the pages before and after. */
function Pager({ found, go }: { readonly found: Found; readonly go: (start: number) => void }) {
  const { start, total, more, items } = found;
  const end = start + items.length;
  const hasNext = end < total || (more && items.length === PAGE_SIZE);
  const tokens = t('pager.all', { count: total });
  const range = { from: start + 1, to: end, total: tokens };
  return (
    <nav class="pager" aria-label={t('pager.label')}>
      <p>{items.length === total && !more ? tokens : t(more ? 'pager.atLeast' : 'pager.range', range)}</p>
      {(start > 0 || hasNext) && (
        <>
          <Button off={start === 0} onClick={() => go(Math.max(0, start - PAGE_SIZE))}>
            {t('pager.previous')}
          </Button>
          <Button off={!hasNext} onClick={() => go(start + PAGE_SIZE)}>
            {t('pager.next')}
          </Button>
        </>
      )}
    </nav>
  );
}
