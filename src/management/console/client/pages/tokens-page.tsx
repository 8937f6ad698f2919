import { useEffect, useRef, useState } from 'preact/hooks';
import { escapeInvisible } from '../../../../domain/text.js';
import type { IssuedToken } from '../../../wire/types.js';
import { ApiError } from '../api.js';
import { t, tx } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { giveFocusBack, openDialog } from '../parts/dialog.js';
import { Search } from '../parts/fields.js';
import { Empty, Failed, Loading, PageHead } from '../parts/page.js';
import { announce } from '../parts/status.js';
import { Tabs } from '../parts/tabs.js';
import { Foreign } from '../parts/text.js';
import { mayCreate } from '../session.js';
import type { Ownership } from '../tokens/calls.js';
import { Filters } from '../tokens/filters.js';
import { Secret } from '../tokens/secret.js';
import { Selection } from '../tokens/selection.js';
import { isAlive } from '../tokens/state.js';
import { CreateToken } from '../tokens/token-form.js';
import { TokenList } from '../tokens/token-list.js';
import { addressOf, NO_FILTER, PAGE_SIZE, readPage, type View, viewOf } from '../tokens/view.js';
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
  const listBox = useRef<HTMLDivElement>(null);
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
            clear={() => {
              select(new Set());
              // The bar with the focus goes.
              listBox.current?.querySelector<HTMLElement>('input')?.focus();
            }}
            revoked={() => {
              select(new Set());
              list.again();
            }}
          />
        )}
        <div ref={listBox} aria-busy={list.busy}>
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
