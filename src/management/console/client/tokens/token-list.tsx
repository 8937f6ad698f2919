import { t } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { Empty } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { mayCreate, mayManage } from '../session.js';
import { tokenColumns } from './columns.js';
import type { FiltersProps } from './filters.js';
import { isAlive } from './state.js';
import { type Found, isFiltered, PAGE_SIZE, type View } from './view.js';

interface TokenListProps extends FiltersProps {
  readonly found: Found;
  readonly selected: ReadonlySet<string>;
  readonly select: (selected: ReadonlySet<string>) => void;
  readonly clear: () => void;
  readonly again: () => void;
}

/** A page of the list, with the way to the other pages. */
export function TokenList({ found, view, selected, select, change, clear, again }: TokenListProps) {
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
