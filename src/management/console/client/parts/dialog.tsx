import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useReducer, useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { Icon } from './icon.js';

/** Closes the dialog without asking. */
export type Close = () => void;

interface Opened {
  readonly id: number;
  readonly render: (close: Close) => ComponentChildren;
  /** What the dialog itself says, once it is shown. */
  asks?: Pick<DialogProps, 'mayClose' | 'unsaved'>;
}

/** The open dialogs, the topmost last. */
let opened: readonly Opened[] = [];
let count = 0;
let refresh: () => void = () => {};

/** Opens a modal dialog. The focus stays inside while it is open, and goes back afterwards. */
export function openDialog(render: Opened['render']): void {
  count += 1;
  opened = [...opened, { id: count, render }];
  refresh();
}

function close(id: number): void {
  opened = opened.filter((each) => each.id !== id);
  refresh();
}

/** Closes all dialogs, as the person would. `false` if one of them stays open. */
export function closeDialogs(): boolean {
  for (const { id, asks } of [...opened].reverse()) {
    if (asks?.mayClose?.() === false) return false;
    close(id);
  }
  return true;
}

/** Whether leaving the page would lose something. */
export function anythingUnsaved(): boolean {
  return opened.some(({ asks }) => asks?.unsaved?.() ?? false);
}

/** The place of the dialogs. Put it into the page once. */
export function Dialogs() {
  const [, update] = useReducer((times: number) => times + 1, 0);
  refresh = () => update(undefined as never);
  return (
    <>
      {opened.map(({ id, render }) => (
        <Shown key={id} id={id} render={render} />
      ))}
    </>
  );
}

function Shown({ id, render }: Pick<Opened, 'id' | 'render'>) {
  return <>{render(() => close(id))}</>;
}

interface DialogProps {
  readonly title: string;
  readonly close: Close;
  readonly wide?: boolean | undefined;
  /** Called before the person closes it (Escape, the cross, the way back); `false` keeps it open. */
  readonly mayClose?: (() => boolean) | undefined;
  /** Whether closing would lose something. If so, the browser asks before it leaves the page. */
  readonly unsaved?: (() => boolean) | undefined;
  readonly children: ComponentChildren;
}

/** One dialog. The first control in it has the focus, or the one with `data-first`. */
export function Dialog({ title, close, wide, mayClose, unsaved, children }: DialogProps) {
  const id = useId();
  const element = useRef<HTMLDialogElement>(null);
  const mine = useRef<Opened | null>(null);

  useLayoutEffect(() => {
    const dialog = element.current as HTMLDialogElement;
    mine.current = opened.at(-1) as Opened;
    const opener = document.activeElement;
    dialog.showModal();
    const first =
      dialog.querySelector<HTMLElement>('[data-first]') ??
      dialog.querySelector<HTMLElement>('.dialog-body :is(input, select, textarea)') ??
      dialog.querySelector<HTMLElement>('h2');
    first?.focus();
    return () => {
      dialog.close();
      giveFocusBack(opener);
    };
  }, []);
  useLayoutEffect(() => {
    if (mine.current) mine.current.asks = { mayClose, unsaved };
  });

  const ask = () => {
    if (mayClose?.() ?? true) close();
  };
  return (
    <dialog
      ref={element}
      class={wide ? 'wide' : undefined}
      aria-labelledby={id}
      // Chromium calls a `cancel` listener only once. The key event comes each time.
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || event.defaultPrevented) return;
        event.preventDefault();
        event.stopPropagation();
        ask();
      }}
      onCancel={(event) => {
        event.preventDefault();
        ask();
      }}
    >
      <header class="dialog-head">
        <h2 id={id} tabIndex={-1}>
          {title}
        </h2>
        <button type="button" class="button plain square" aria-label={t('app.close')} onClick={ask}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** To the element that had it, or to the page's heading if that is gone. */
export function giveFocusBack(opener: Element | null): void {
  const heading = document.querySelector<HTMLElement>('main h1');
  if (opener instanceof HTMLElement && opener.isConnected && opener !== document.body) opener.focus();
  else heading?.focus();
}
