import { h, replaceContent } from './dom.js';

/** How long a message stays to be seen; it is read aloud whatever it is. */
const SHOWN_FOR = 6_000;

const region = h('div', { class: 'status', role: 'status', 'aria-live': 'polite' });
let timer = 0;

/** Where what was done is said. To be put into the page once. */
export function statusRegion(): HTMLElement {
  return region;
}

/** Says what was done, for everyone. */
export function announce(message: string): void {
  clearTimeout(timer);
  replaceContent(region, h('p', {}, message));
  timer = window.setTimeout(() => replaceContent(region), SHOWN_FOR);
}
