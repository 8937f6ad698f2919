import { type Child, h, icon, uniqueId } from './dom.js';

export interface DialogOptions {
  readonly title: string;
  readonly body: Child;
  readonly className?: string;
  /** Called before the person closes it (Escape, the cross); `false` keeps it open. */
  readonly mayClose?: () => boolean;
  /** Whether closing would lose something. If so, the browser asks before it leaves the page. */
  readonly unsaved?: () => boolean;
  readonly onClosed?: () => void;
  /** The element with the focus when it opens. Default: the dialog's title. */
  readonly focus?: () => HTMLElement | null | undefined;
  /** The element with the focus afterwards. Default: the one that has it now. */
  readonly opener?: Element | null;
}

export interface Dialog {
  readonly element: HTMLDialogElement;
  /** The element that opened it. Pass it to a dialog that follows this one. */
  readonly opener: Element | null;
  /** Closes it without asking. */
  close(): void;
  /** Closes it as the person would: `mayClose` may refuse. */
  requestClose(): void;
}

/** The open dialogs, the topmost last. */
const opened: { readonly dialog: Dialog; readonly options: DialogOptions }[] = [];

/** Opens a modal dialog at once. The focus stays inside while it is open, and goes back afterwards. */
export function openDialog(options: DialogOptions): Dialog {
  const opener = options.opener ?? document.activeElement;
  const titleId = uniqueId('dialog');
  const title = h('h2', { id: titleId, tabindex: -1 }, options.title);
  const closer = h(
    'button',
    { type: 'button', class: 'plain square', 'aria-label': 'Close', on: { click: () => dialog.requestClose() } },
    icon('close'),
  );
  const element = h(
    'dialog',
    { 'aria-labelledby': titleId, class: options.className },
    h('header', { class: 'dialog-head' }, title, closer),
    options.body,
  );

  const dialog: Dialog = {
    element,
    opener,
    close() {
      if (!element.isConnected) return;
      element.close();
      element.remove();
      opened.splice(
        opened.findIndex((each) => each.dialog.element === element),
        1,
      );
      giveFocusBack(opener);
      options.onClosed?.();
    },
    requestClose() {
      if (options.mayClose?.() ?? true) dialog.close();
    },
  };

  // Chromium calls a `cancel` listener only once. The key event comes each time.
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    dialog.requestClose();
  });
  element.addEventListener('cancel', (event) => {
    event.preventDefault();
    dialog.requestClose();
  });

  opened.push({ dialog, options });
  document.body.appendChild(element);
  element.showModal();
  (options.focus?.() ?? title).focus();
  return dialog;
}

/** Closes all dialogs, as the person would. `false` if one of them stays open. */
export function closeDialogs(): boolean {
  for (let last = opened.at(-1); last !== undefined; last = opened.at(-1)) {
    last.dialog.requestClose();
    if (opened.includes(last)) return false;
  }
  return true;
}

/** Whether leaving the page would lose something. */
export function anythingUnsaved(): boolean {
  return opened.some(({ options }) => options.unsaved?.() ?? false);
}

/** Focuses the opener, or its new rendering, or the page's heading if it is gone. */
export function giveFocusBack(opener: Element | null): void {
  const key = opener?.getAttribute('data-focus');
  const target =
    opener?.isConnected && opener !== document.body
      ? opener
      : ((key ? successor(key) : null) ?? document.querySelector('main h1'));
  if (target instanceof HTMLElement) target.focus();
}

/** Renders something again without losing the focus that is inside it. */
export function keepingFocus(container: Element, render: () => void): void {
  const active = document.activeElement;
  const inside = active !== null && container.contains(active);
  render();
  if (inside && !active.isConnected) giveFocusBack(active);
}

function successor(key: string): Element | null {
  return document.querySelector(`[data-focus="${CSS.escape(key)}"]`);
}
