import { type Child, h } from './dom.js';
import { counted, fromNow, inDate, inDigits, inFull } from './words.js';

export interface Column<Row> {
  readonly label: string;
  readonly cell: (row: Row) => Child;
  readonly className?: string;
}

/**
 * A table. On a narrow screen each row becomes a card (style.css). The roles are explicit, because in some browsers a table with
 * another layout loses them.
 */
export function table<Row>(caption: string, columns: readonly Column<Row>[], rows: readonly Row[]): HTMLElement {
  const head = columns.map(({ label, className }) =>
    h('th', { scope: 'col', role: 'columnheader', class: className }, label),
  );
  const cell = (column: Column<Row>, row: Row, index: number) =>
    h(
      index === 0 ? 'th' : 'td',
      {
        scope: index === 0 ? 'row' : null,
        role: index === 0 ? 'rowheader' : 'cell',
        class: column.className,
        'data-label': column.label,
      },
      h('div', { class: 'cell' }, column.cell(row)),
    );
  return h(
    'table',
    { role: 'table' },
    h('caption', { class: 'hidden' }, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, head)),
    h(
      'tbody',
      { role: 'rowgroup' },
      rows.map((row) =>
        h(
          'tr',
          { role: 'row' },
          columns.map((column, index) => cell(column, row, index)),
        ),
      ),
    ),
  );
}

/** A placeholder for a table. */
export function loadingTable(what: string): HTMLElement {
  return h(
    'div',
    { class: 'loading', role: 'status' },
    h('span', { class: 'hidden' }, `Loading ${what}…`),
    Array.from({ length: 5 }, () => h('div', { class: 'loading-row', 'aria-hidden': 'true' })),
  );
}

/** Shown if a list is empty: a reason, and an action. */
export function emptyState(title: string, text: Child, action?: Child): HTMLElement {
  return h('div', { class: 'empty' }, h('h2', {}, title), h('p', {}, text), action);
}

/** Shown if a list could not be read. */
export function failedState(message: string, retry: () => void): HTMLElement {
  const again = h('button', { type: 'button', on: { click: retry } }, 'Try again');
  return h('div', { class: 'empty failed', role: 'alert' }, h('p', {}, message), again);
}

export interface Paging {
  readonly start: number;
  readonly shown: number;
  readonly total: number;
  /** Whether there may be more than `total`. */
  readonly more: boolean;
  readonly size: number;
  readonly noun: string;
  readonly go: (start: number) => void;
}

/** `1–25 of 312 tokens`, with buttons for the pages before and after. */
export function pager({ start, shown, total, more, size, noun, go }: Paging): HTMLElement {
  const step = (text: string, to: number, possible: boolean) =>
    h(
      'button',
      {
        type: 'button',
        'aria-disabled': String(!possible),
        'data-focus': `pager-${text}`,
        on: { click: () => possible && go(to) },
      },
      text,
    );
  const hasNext = start + shown < total || (more && shown === size);
  const range =
    shown === total && !more
      ? counted(total, noun)
      : `${inDigits(start + 1)}–${inDigits(start + shown)} of ${more ? 'at least ' : ''}${counted(total, noun)}`;
  return h(
    'nav',
    { class: 'pager', 'aria-label': 'Pages' },
    h('p', {}, range),
    (start > 0 || hasNext) && [
      step('Previous', Math.max(0, start - size), start > 0),
      step('Next', start + size, hasNext),
    ],
  );
}

/** A day in a cell. The exact time is in its title and its `datetime`. */
export function dateCell(iso: string | null, never: string): Child {
  return iso === null
    ? h('span', { class: 'quiet' }, never)
    : h('time', { datetime: iso, title: inFull(new Date(iso)) }, inDate(new Date(iso)));
}

/** The time since, in a cell. */
export function agoCell(iso: string | null, never: string): Child {
  return iso === null
    ? h('span', { class: 'quiet' }, never)
    : h('time', { datetime: iso, title: inFull(new Date(iso)) }, fromNow(new Date(iso)));
}
