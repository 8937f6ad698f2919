import { h, uniqueId } from './dom.js';

export interface Tabs<Key extends string> {
  readonly list: HTMLElement;
  readonly panel: HTMLElement;
  select(key: Key): void;
}

/** Tabs above one panel. The caller changes its content. Arrows, Home and End move between the tabs. */
export function tabs<Key extends string>(
  label: string,
  items: readonly (readonly [Key, string])[],
  selected: Key,
  onSelect: (key: Key) => void,
): Tabs<Key> {
  const panelId = uniqueId('panel');
  const buttons = items.map(([key, text]) =>
    h(
      'button',
      { type: 'button', role: 'tab', id: uniqueId('tab'), 'aria-controls': panelId, on: { click: () => choose(key) } },
      text,
    ),
  );
  const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label, on: { keydown: onKey } }, buttons);
  const panel = h('div', { role: 'tabpanel', id: panelId });

  function select(key: Key): void {
    items.forEach(([each], index) => {
      const button = buttons[index] as HTMLButtonElement;
      button.setAttribute('aria-selected', String(each === key));
      button.tabIndex = each === key ? 0 : -1;
      if (each === key) panel.setAttribute('aria-labelledby', button.id);
    });
  }

  function choose(key: Key): void {
    select(key);
    onSelect(key);
  }

  function onKey(event: KeyboardEvent): void {
    const index = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const count = buttons.length;
    const steps: Record<string, number> = {
      ArrowRight: index + 1,
      ArrowLeft: index - 1 + count,
      Home: 0,
      End: count - 1,
    };
    const next = steps[event.key];
    if (index < 0 || next === undefined) return;
    event.preventDefault();
    const target = next % count;
    buttons[target]?.focus();
    choose((items[target] as readonly [Key, string])[0]);
  }

  select(selected);
  return { list, panel, select };
}
