import { useId, useRef, useState } from 'preact/hooks';
import { Icon } from './icon.js';

export interface MenuItem {
  readonly label: string;
  readonly danger?: boolean;
  readonly run: () => void;
}

/**
 * A button that opens a menu, as in the ARIA practices: arrows, Home and End move, a letter jumps. The browser's popover closes it
 * with Escape or a click elsewhere, gives the focus back, and shows it above everything.
 */
export function Menu({ label, items }: { readonly label: string; readonly items: readonly MenuItem[] }) {
  const id = useId();
  const opener = useRef<HTMLButtonElement>(null);
  const menu = useRef<HTMLDivElement>(null);
  const [isOpen, setOpen] = useState(false);
  const buttons = () => [...(menu.current?.querySelectorAll('button') ?? [])];

  function open(index: number): void {
    menu.current?.showPopover();
    if (opener.current && menu.current) place(menu.current, opener.current);
    buttons().at(index)?.focus();
  }

  function close(): void {
    menu.current?.hidePopover();
    opener.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent): void {
    const next = moved(event.key, buttons().indexOf(document.activeElement as HTMLButtonElement), items);
    if (next !== null) {
      event.preventDefault();
      buttons()[next]?.focus();
    } else if (event.key === 'Escape') {
      // Not the dialog around it.
      event.stopPropagation();
      close();
    } else if (event.key === 'Tab') close();
  }

  return (
    <span class="menu-anchor">
      <button
        type="button"
        class="button plain square"
        aria-label={label}
        aria-haspopup="menu"
        aria-expanded={isOpen}
        popovertarget={id}
        // Ties the two together: otherwise a click would close the menu by light dismissal, then open it again.
        popovertargetaction="hide"
        ref={opener}
        onClick={(event) => {
          event.preventDefault();
          if (menu.current?.matches(':popover-open')) close();
          else open(0);
        }}
        onKeyDown={(event) => {
          if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
          event.preventDefault();
          open(event.key === 'ArrowDown' ? 0 : -1);
        }}
      >
        <Icon name="more" />
      </button>
      <div
        class="menu"
        role="menu"
        tabIndex={-1}
        id={id}
        aria-label={label}
        popover="auto"
        ref={menu}
        onToggle={({ newState }) => {
          const opened = newState === 'open';
          setOpen(opened);
          if (opened) addEventListener('scroll', () => menu.current?.hidePopover(), { once: true, capture: true });
        }}
        onKeyDown={onKeyDown}
      >
        {items.map(({ label: text, danger, run }) => (
          <button
            key={text}
            type="button"
            role="menuitem"
            tabIndex={-1}
            class={danger ? 'danger' : undefined}
            onClick={() => {
              close();
              run();
            }}
          >
            {text}
          </button>
        ))}
      </div>
    </span>
  );
}

/** Below the button, or above it where there is no room. */
function place(menu: HTMLElement, opener: HTMLElement): void {
  const from = opener.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = from.bottom + 4;
  const fits = below + height <= innerHeight - 8;
  menu.style.left = `${Math.max(8, Math.min(from.right - width, innerWidth - width - 8))}px`;
  menu.style.top = `${fits ? below : Math.max(8, from.top - height - 4)}px`;
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
