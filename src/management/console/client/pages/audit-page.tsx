import { useEffect, useRef, useState } from 'preact/hooks';
import { CHANGE_TYPES } from '../../../../ports/changes.js';
import type { AuditEntry } from '../../../wire/types.js';
import { isSignedOut } from '../api.js';
import { ANYTHING, type Asked, addressOf, askedIn, isAsked, PAGE_SIZE, readChanges } from '../audit/asked.js';
import { What, Who } from '../audit/change.js';
import { useNames } from '../audit/use-names.js';
import { kindOf } from '../audit/words.js';
import { t } from '../i18n.js';
import { usePage } from '../page-context.js';
import { Button } from '../parts/button.js';
import { Filter, Search, TextFilter } from '../parts/fields.js';
import { Empty, Failed, Loading, PageHead } from '../parts/page.js';
import { Table } from '../parts/table.js';
import { Foreign, Quiet } from '../parts/text.js';
import { inSeconds } from '../words.js';

/** Milliseconds between the last letter and the search. */
const SEARCH_DELAY = 250;

interface Found {
  readonly entries: readonly AuditEntry[];
  readonly next: string | null;
  /** The server stopped a long search before the page was full. */
  readonly isShort: boolean;
}

/** The changes, newest first. */
export function AuditPage() {
  const { signedOut } = usePage();
  const [asked, setAsked] = useState(() => askedIn(location));
  const [typed, setTyped] = useState({ subject: asked.subject, actor: asked.actor });
  const [found, setFound] = useState<Found | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(true);
  const reading = useRef(new AbortController());
  const timer = useRef(0);
  const toolbar = useRef<HTMLElement>(null);
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
      const { items, next_cursor: next } = await readChanges(asked, before?.next ?? null, signal);
      added.current = before === null ? null : before.entries.length;
      const isShort = next !== null && items.length < PAGE_SIZE;
      setFound({ entries: [...(before?.entries ?? []), ...items], next, isShort });
    } catch (failure) {
      if (signal.aborted) return;
      if (isSignedOut(failure)) return signedOut();
      // The shown changes are those of another question.
      if (before === null) setFound(null);
      setError(failure);
    }
    if (!signal.aborted) setBusy(false);
  }

  useEffect(() => {
    void load(null);
    return () => reading.current.abort();
  }, [addressOf(asked)]);

  useEffect(() => {
    if (added.current === null) return;
    table.current?.querySelectorAll<HTMLElement>('tbody tr')[added.current]?.focus();
    added.current = null;
  }, [found]);

  function change(changes: Partial<Asked>): void {
    clearTimeout(timer.current);
    const next = { ...asked, subject: typed.subject.trim(), actor: typed.actor.trim(), ...changes };
    setAsked(next);
    history.replaceState(history.state, '', addressOf(next));
  }

  function onType(field: keyof typeof typed, text: string): void {
    const now = { ...typed, [field]: text };
    setTyped(now);
    clearTimeout(timer.current);
    const search = () => change({ subject: now.subject.trim(), actor: now.actor.trim() });
    timer.current = window.setTimeout(search, SEARCH_DELAY);
  }

  function clear(): void {
    setTyped({ subject: '', actor: '' });
    change(ANYTHING);
    toolbar.current?.querySelector('input')?.focus();
  }

  return (
    <div class="page">
      <PageHead title={t('nav.audit')} lead={t('audit.lead')} />
      <search class="toolbar" ref={toolbar}>
        <Search label={t('audit.search')} value={typed.subject} onInput={(text) => onType('subject', text)} />
        <div class="filters">
          <TextFilter
            label={t('audit.by')}
            hint={t('audit.byHint')}
            value={typed.actor}
            onInput={(text) => onType('actor', text)}
          />
          <Filter
            label={t('audit.kind')}
            value={asked.type}
            options={[['', t('audit.anyKind')], ...CHANGE_TYPES.map((kind) => [kind, kindOf(kind)] as const)]}
            onChange={(type) => change({ type })}
          />
          <DateFilter
            label={t('audit.from')}
            value={asked.from}
            most={asked.to}
            onChange={(from) => change({ from })}
          />
          <DateFilter label={t('audit.to')} value={asked.to} least={asked.from} onChange={(to) => change({ to })} />
        </div>
      </search>
      <div ref={table} aria-busy={busy}>
        {found === null && error === null && <Loading />}
        {found !== null && <Changes found={found} clear={isAsked(asked) ? clear : null} />}
        {error !== null && <Failed error={error} retry={() => void load(found)} />}
        {found !== null && error === null && <Further found={found} busy={busy} load={() => void load(found)} />}
      </div>
    </div>
  );
}

interface DateFilterProps {
  readonly label: string;
  readonly value: string;
  readonly least?: string;
  readonly most?: string;
  readonly onChange: (value: string) => void;
}

function DateFilter({ label, value, least, most, onChange }: DateFilterProps) {
  return (
    <label class="filter">
      <span>{label}</span>
      <input
        type="date"
        value={value}
        min={least || undefined}
        max={most || undefined}
        onInput={({ currentTarget }) => onChange(currentTarget.value)}
      />
    </label>
  );
}

interface ChangesProps {
  readonly found: Found;
  /** Asks for all changes; `null`: nothing else was asked for. */
  readonly clear: (() => void) | null;
}

function Changes({ found: { entries, next }, clear }: ChangesProps) {
  const names = useNames(entries);
  if (entries.length === 0 && clear === null) return <Empty title={t('audit.none')}>{t('audit.noneText')}</Empty>;
  if (entries.length === 0) {
    return (
      <Empty title={t('audit.noMatch')} action={<Button onClick={clear as () => void}>{t('tokens.clear')}</Button>}>
        {t(next === null ? 'audit.noMatchText' : 'audit.notSearched')}
      </Empty>
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

function Further({ found: { entries, next, isShort }, busy, load }: FurtherProps) {
  if (next === null) return entries.length > 0 ? <p class="quiet after">{t('app.all')}</p> : null;
  return (
    <div class="more">
      <p class="quiet">{t(isShort ? 'audit.notSearched' : 'audit.shown', { count: entries.length })}</p>
      <Button onClick={load}>{t(busy ? 'app.loading' : isShort ? 'audit.further' : 'audit.older')}</Button>
    </div>
  );
}
