import type { Session } from '../../wire/types.js';
import { type Child, h } from './dom.js';

/** The input of a page. */
export interface PageContext {
  readonly session: Session;
  /** For a session that is over: shows the sign-in, and this page again afterwards. */
  readonly signedOut: () => void;
  /** Shows another page. */
  readonly go: (path: string) => void;
}

/** The head of a page: its heading, a line about its purpose, and its main action. */
export function pageHead(title: string, lead: Child, action?: Child): HTMLElement {
  return h(
    'header',
    { class: 'page-head' },
    h('div', {}, h('h1', { tabindex: -1 }, title), h('p', { class: 'lead' }, lead)),
    action,
  );
}
