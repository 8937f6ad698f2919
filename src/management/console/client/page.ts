import type { Session } from '../../wire/types.js';
import { type Child, h } from './dom.js';

/** What a page gets to work with. */
export interface PageContext {
  readonly session: Session;
  /** The session turned out to be over: shows the sign-in, with the same page behind it. */
  readonly signedOut: () => void;
  /** Shows another page. */
  readonly go: (path: string) => void;
}

/** The head of a page: its heading, a line that says what it is for, and its main action. */
export function pageHead(title: string, lead: Child, action?: Child): HTMLElement {
  return h(
    'header',
    { class: 'page-head' },
    h('div', {}, h('h1', { tabindex: -1 }, title), h('p', { class: 'lead' }, lead)),
    action,
  );
}
