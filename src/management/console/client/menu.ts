import { h, icon } from './dom.js';

export interface MenuItem {
  readonly label: string;
  readonly danger?: boolean;
  readonly run: () => void;
}

/**
 * A button that opens a menu, as in the ARIA practices: arrows, Home and End move, a letter jumps, Escape closes. The menu is in
 * the top layer, so that nothing cuts it off.
 */
export function menuButton(label: string, focusKey: string, items: readonly MenuItem[]): HTMLElement {
  const buttons = items.map((item) =>
    h(
      'button',
      {
        type: 'button',
        role: 'menuitem',
        tabindex: -1,
        class: item.danger ? 'danger' : undefined,
        on: {
          click: () => {
            close();
            item.run();
          },
        },
      },
      item.label,
    ),
  );
  const menu = h('div', { class: 'menu', role: 'menu', 'aria-label': label, popover: 'auto' }, buttons);
  const opener = h(
    'button',
    {
      type: 'button',
      class: 'plain square',
      'aria-label': label,
      'aria-haspopup': 'menu',
      'aria-expanded': 'false',
      'data-focus': focusKey,
      on: {
        click: (event) => {
          // The button's own action (`popoverTargetAction` below) runs after this listener and would undo it.
          event.preventDefault();
          if (menu.matches(':popover-open')) close();
          else open(0);
        },
        keydown: (event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          open(event.key === 'ArrowDown' ? 0 : buttons.length - 1);
        },
      },
    },
    icon('more'),
  );
  // Ties the button to the menu. Otherwise a click would close the menu by light dismissal, then open it again.
  opener.popoverTargetElement = menu;
  opener.popoverTargetAction = 'hide';

  function open(index: number): void {
    menu.showPopover();
    place();
    buttons[index]?.focus();
  }

  function close(): void {
    menu.hidePopover();
    opener.focus();
  }

  function place(): void {
    const from = opener.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = menu;
    const below = from.bottom + 4;
    const fits = below + height <= innerHeight - 8;
    menu.style.left = `${Math.max(8, Math.min(from.right - width, innerWidth - width - 8))}px`;
    menu.style.top = `${fits ? below : Math.max(8, from.top - height - 4)}px`;
  }

  menu.addEventListener('toggle', (event) => {
    const opened = event.newState === 'open';
    opener.setAttribute('aria-expanded', String(opened));
    if (opened) addEventListener('scroll', hide, { once: true, capture: true });
    else removeEventListener('scroll', hide, { capture: true });
  });
  const hide = () => menu.hidePopover();

  menu.addEventListener('keydown', (event) => {
    const index = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const next = moved(event.key, index, items);
    if (next !== null) {
      event.preventDefault();
      buttons[next]?.focus();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === 'Tab') close();
  });
  return h('span', { class: 'menu-anchor' }, opener, menu);
}

function moved(key: string, index: number, items: readonly MenuItem[]): number | null {
  const count = items.length;
  if (key === 'ArrowDown') return (index + 1) % count;
  if (key === 'ArrowUp') return (index - 1 + count) % count;
  if (key === 'Home') return 0;
  if (key === 'End') return count - 1;
  if (key.length !== 1 || key === ' ') return null;
  for (let step = 1; step <= count; step++) {
    const at = (index + step) % count;
    if (items[at]?.label.toLowerCase().startsWith(key.toLowerCase())) return at;
  }
  return null;
}
