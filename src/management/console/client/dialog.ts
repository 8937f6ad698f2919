import { type Child, h, icon, uniqueId } from './dom.js';

export interface DialogOptions {
  readonly title: string;
  readonly body: Child;
  readonly className?: string;
  /** Asked before the person closes it (Escape, the cross); `false` keeps it open. */
  readonly mayClose?: () => boolean;
  /** Whether something would be lost with it: then the browser asks before it leaves the page. */
  readonly unsaved?: () => boolean;
  readonly onClosed?: () => void;
  /** What has the focus when it opens. Default: the dialog's title. */
  readonly focus?: () => HTMLElement | null | undefined;
  /** Where the focus goes afterwards. Default: where it is now. */
  readonly opener?: Element | null;
}

export interface Dialog {
  readonly element: HTMLDialogElement;
  /** Who opened it, to be handed to a dialog that follows this one. */
  readonly opener: Element | null;
  /** Closes it without asking. */
  close(): void;
  /** Closes it as the person would: `mayClose` is asked. */
  requestClose(): void;
}

/** The dialogs that are open, the one on top last. */
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

  // Chromium asks a `cancel` listener only once; the key itself can be held back each time.
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

/** Closes all dialogs, as the person would. `false` where one of them stays. */
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

/** To what was focused; where that was rendered again, to its successor; where it is gone, to the page's heading. */
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
