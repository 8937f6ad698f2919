import type { AuditEntry, AuditPage } from '../../wire/types.js';
import { call, isSignedOut } from './api.js';
import { CHANGE_TYPES, changesOf, verbOf } from './audit-words.js';
import { type Child, foreign, h, replaceContent } from './dom.js';
import { sentence } from './form.js';
import { type PageContext, pageHead } from './page.js';
import { type Column, emptyState, failedState, loadingTable, table } from './table.js';
import { inSeconds } from './words.js';

const PAGE_SIZE = 50;

/** The audit log: newest first, older entries on request. */
export function auditPage({ signedOut }: PageContext): HTMLElement {
  const list = h('div', {});
  const more = h('div', { class: 'more' });
  const kind = h(
    'select',
    { 'aria-label': 'Kind of change', on: { change: () => void load(null) } },
    h('option', { value: '' }, 'All changes'),
    CHANGE_TYPES.map((type) => h('option', { value: type }, verbOf(type))),
  );
  let entries: readonly AuditEntry[] = [];
  let reading = new AbortController();

  async function load(cursor: string | null): Promise<void> {
    reading.abort();
    reading = new AbortController();
    const { signal } = reading;
    if (cursor === null) {
      replaceContent(list, loadingTable('changes'));
      replaceContent(more);
    }
    try {
      const query = { count: PAGE_SIZE, cursor, type: kind.value };
      const page = await call<AuditPage>('GET', 'api/v1/audit', { query, signal });
      const seen = entries.length;
      entries = cursor === null ? page.items : [...entries, ...page.items];
      show(page.next_cursor, cursor === null ? null : seen);
    } catch (error) {
      if (signal.aborted) return;
      if (isSignedOut(error)) return signedOut();
      const failed = failedState(sentence(error), () => void load(cursor));
      if (cursor === null) replaceContent(list, failed);
      else replaceContent(more, failed);
    }
  }

  /** @param focused the first of the added rows, which gets the focus */
  function show(next: string | null, focused: number | null): void {
    if (entries.length === 0) {
      replaceContent(list, emptyState('No changes', 'Changes to tokens and endpoints will be listed here.'));
    } else replaceContent(list, table('Changes, newest first', COLUMNS, entries));
    const button = h('button', { type: 'button', on: { click: () => void older(button, next) } }, 'Show older');
    replaceContent(more, next === null ? entries.length > 0 && h('p', { class: 'quiet' }, 'That is all.') : button);
    if (focused === null) return;
    const row = list.querySelectorAll<HTMLElement>('tbody tr')[focused];
    row?.setAttribute('tabindex', '-1');
    row?.focus();
  }

  function older(button: HTMLButtonElement, cursor: string | null): Promise<void> {
    button.textContent = 'Loading…';
    return load(cursor);
  }

  void load(null);
  return h(
    'div',
    { class: 'page' },
    pageHead('Audit', 'Every change to tokens and endpoints, with its author, time and address.'),
    h('div', { class: 'toolbar' }, kind),
    list,
    more,
  );
}

const COLUMNS: readonly Column<AuditEntry>[] = [
  { label: 'When', cell: ({ at }) => h('time', { datetime: at }, inSeconds(new Date(at))), className: 'when' },
  { label: 'What', cell: what, className: 'what' },
  { label: 'Who', cell: ({ actor }) => who(actor) },
  {
    label: 'From',
    cell: ({ from }) => (from === null ? h('span', { class: 'quiet' }, 'Not known') : h('code', {}, foreign(from))),
    className: 'from',
  },
];

function what(entry: AuditEntry): Child {
  const changes = changesOf(entry);
  const name = nameIn(entry.after) ?? nameIn(entry.before);
  return [
    h('p', {}, `${verbOf(entry.type)} `, h('strong', {}, foreign(name ?? entry.subject))),
    changes.length > 0 &&
      h(
        'details',
        {},
        h('summary', {}, 'What changed'),
        h(
          'dl',
          { class: 'facts' },
          changes.map(({ label, before, after }) =>
            h(
              'div',
              {},
              h('dt', {}, label),
              h(
                'dd',
                {},
                before !== null && h('del', {}, h('span', { class: 'hidden' }, 'before: '), foreign(before)),
                after !== null && h('ins', {}, h('span', { class: 'hidden' }, 'after: '), foreign(after)),
              ),
            ),
          ),
        ),
      ),
  ];
}

function nameIn(record: unknown): string | null {
  const name = typeof record === 'object' && record !== null && 'name' in record ? record.name : null;
  return typeof name === 'string' ? name : null;
}

function who(actor: AuditEntry['actor']): Child {
  if (actor.kind === 'application') return 'The application';
  const token = actor.token_id ? h('p', { class: 'quiet' }, 'with token ', h('code', {}, actor.token_id)) : null;
  return [actor.owner ? foreign(actor.owner) : 'Someone without a name', token];
}
