import { useEffect, useRef, useState } from 'preact/hooks';
import { CHANGE_TYPES } from '../../../../ports/changes.js';
import type { AuditEntry, AuditPage as Page } from '../../../wire/types.js';
import { call, isSignedOut } from '../api.js';
import { What, Who } from '../audit/change.js';
import { useNames } from '../audit/use-names.js';
import { kindOf, nameIn } from '../audit/words.js';
import { t } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { Filter, Search } from '../parts/fields.js';
import { Empty, Failed, Loading, PageHead } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { Foreign, Quiet } from '../parts/text.js';
import { inSeconds } from '../words.js';

const PAGE_SIZE = 50;
/** Milliseconds between the last letter and the search. */
const SEARCH_DELAY = 250;
/** The pages that one search reads at most. The person may search further. */
const MOST_PAGES = 10;

interface Asked {
  readonly kind: string;
  readonly search: string;
  /** `2026-11-30`, in the person's time zone. */
  readonly from: string;
  readonly to: string;
}

const ANYTHING: Asked = { kind: '', search: '', from: '', to: '' };

interface Found {
  readonly entries: readonly AuditEntry[];
  readonly looked: number;
  readonly next: string | null;
}

/** The changes, newest first. Search and dates are judged here, among the changes that were read. */
export function AuditPage() {
  const { signedOut } = usePage();
  const [asked, setAsked] = useState(ANYTHING);
  const [search, setSearch] = useState('');
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(true);
  const reading = useRef(new AbortController());
  const timer = useRef(0);
  const table = useRef<HTMLDivElement>(null);
  /** The first row of those that were added, which gets the focus. */
  const added = useRef<number | null>(null);

  async function load(before: Found | null): Promise<void> {
    reading.current.abort();
    reading.current = new AbortController();
    const { signal } = reading.current;
    setBusy(true);
    setError(null);
    try {
      const next = await readFurther(asked, before, signal);
      added.current = before === null ? null : before.entries.length;
      setFound(next);
    } catch (failure) {
      if (signal.aborted) return;
      if (isSignedOut(failure)) return signedOut();
      setError(failure);
    }
    if (!signal.aborted) setBusy(false);
  }

  useEffect(() => {
    void load(null);
    return () => reading.current.abort();
  }, [asked]);

  useEffect(() => {
    if (added.current === null) return;
    table.current?.querySelectorAll<HTMLElement>('tbody tr')[added.current]?.focus();
    added.current = null;
  }, [found]);

  const change = (changes: Partial<Asked>) => setAsked({ ...asked, ...changes });
  function onSearch(text: string): void {
    setSearch(text);
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => change({ search: text.trim().toLowerCase() }), SEARCH_DELAY);
  }

  return (
    <div class="page">
      <PageHead title={t('nav.audit')} lead={t('audit.lead')} />
      <search class="toolbar">
        <Search label={t('audit.search')} value={search} onInput={onSearch} />
        <div class="filters">
          <Filter
            label={t('audit.kind')}
            value={asked.kind}
            options={[['', t('audit.anyKind')], ...CHANGE_TYPES.map((kind) => [kind, kindOf(kind)] as const)]}
            onChange={(kind) => change({ kind })}
          />
          <DateFilter label={t('audit.from')} value={asked.from} onChange={(from) => change({ from })} />
          <DateFilter label={t('audit.to')} value={asked.to} onChange={(to) => change({ to })} />
        </div>
      </search>
      <div ref={table} aria-busy={busy}>
        {found === null && error === null && <Loading />}
        {found !== null && <Changes found={found} isAsked={asked !== ANYTHING} />}
        {error !== null && <Failed error={error} retry={() => void load(found)} />}
        {found !== null && error === null && <Further found={found} busy={busy} load={() => void load(found)} />}
      </div>
    </div>
  );
}

interface DateFilterProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function DateFilter({ label, value, onChange }: DateFilterProps) {
  return (
    <label class="filter">
      <span>{label}</span>
      <input type="date" value={value} onInput={({ currentTarget }) => onChange(currentTarget.value)} />
    </label>
  );
}

function Changes({ found: { entries, next }, isAsked }: { readonly found: Found; readonly isAsked: boolean }) {
  const names = useNames(entries);
  if (entries.length === 0) {
    return isAsked || next !== null ? (
      <Empty title={t('audit.noMatch')}>{t('audit.noMatchText')}</Empty>
    ) : (
      <Empty title={t('audit.none')}>{t('audit.noneText')}</Empty>
    );
  }
  return (
    <Table
      caption={t('nav.audit')}
      columns={[
        { label: t('audit.what'), kind: 'head', cell: (entry) => <What entry={entry} /> },
        { label: t('audit.who'), cell: (entry) => <Who entry={entry} names={names} /> },
        {
          label: t('audit.where'),
          cell: ({ from }) => (from === null ? <Quiet>{t('app.unknown')}</Quiet> : <Foreign text={from} mono />),
        },
        { label: t('audit.when'), cell: ({ at }) => <time dateTime={at}>{inSeconds(new Date(at))}</time> },
      ]}
      rows={entries}
      keyOf={({ id }) => id}
    />
  );
}

interface FurtherProps {
  readonly found: Found;
  readonly busy: boolean;
  readonly load: () => void;
}

function Further({ found, busy, load }: FurtherProps) {
  if (found.next === null) return found.entries.length > 0 ? <p class="quiet after">{t('app.all')}</p> : null;
  const text = found.looked === found.entries.length ? t('audit.older') : t('audit.further');
  return (
    <div class="more">
      <p class="quiet">{t('audit.looked', { count: found.looked })}</p>
      <Button onClick={load}>{busy ? t('app.loading') : text}</Button>
    </div>
  );
}

/** Reads on until a page of further changes fits, within the pages of one search. */
async function readFurther(asked: Asked, before: Found | null, signal: AbortSignal): Promise<Found> {
  const entries: AuditEntry[] = [];
  let cursor = before?.next ?? null;
  let looked = before?.looked ?? 0;
  for (let pages = 0; pages < MOST_PAGES && entries.length < PAGE_SIZE; pages++) {
    const query = { count: PAGE_SIZE, cursor, type: asked.kind };
    const page = await call<Page>('GET', 'api/v1/audit', { query, signal });
    looked += page.items.length;
    cursor = page.next_cursor;
    entries.push(...page.items.filter((entry) => fits(entry, asked)));
    // The changes are in order of time, so no older one fits.
    const [last] = page.items.slice(-1);
    if (last !== undefined && Date.parse(last.at) < startOf(asked)) cursor = null;
    if (cursor === null) break;
  }
  return { entries: [...(before?.entries ?? []), ...entries], looked, next: cursor };
}

function startOf({ from }: Asked): number {
  return from === '' ? 0 : Date.parse(`${from}T00:00:00`);
}

function fits(entry: AuditEntry, asked: Asked): boolean {
  const at = Date.parse(entry.at);
  if (at < startOf(asked)) return false;
  if (asked.to !== '' && at > Date.parse(`${asked.to}T23:59:59.999`)) return false;
  if (asked.search === '') return true;
  const { actor } = entry;
  const by = actor.kind === 'principal' ? [actor.owner, actor.token_id] : [t('audit.application')];
  const texts = [nameIn(entry), entry.subject, entry.from, ...by];
  return texts.some((text) => text?.toLowerCase().includes(asked.search));
}
