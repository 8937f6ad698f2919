import { h, replaceContent } from './dom.js';

/** Milliseconds that a message stays visible. Screen readers read it at once. */
const SHOWN_FOR = 6_000;

const region = h('div', { class: 'status', role: 'status', 'aria-live': 'polite' });
let timer = 0;

/** The region that shows the messages. Put it into the page once. */
export function statusRegion(): HTMLElement {
  return region;
}

/** Shows a message and has screen readers read it. */
export function announce(message: string): void {
  clearTimeout(timer);
  replaceContent(region, h('p', {}, message));
  timer = window.setTimeout(() => replaceContent(region), SHOWN_FOR);
}
