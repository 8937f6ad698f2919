import { ApiError, isSignedOut, Unreachable } from './api.js';
import { type Dialog, openDialog } from './dialog.js';
import { type Child, h, replaceContent } from './dom.js';
import { signInAgain } from './session.js';

/** One question of a form. */
export interface Field<Value = unknown> {
  readonly element: HTMLElement;
  /** The paths of the request body that this field fills. An error with one of them is shown here. */
  readonly paths: readonly string[];
  /** The present value, also compared to notice unsaved changes. */
  value(): Value;
  /** The error as a sentence, or `null`. */
  check(): string | null;
  show(error: string | null): void;
  focus(): void;
}

export interface FormOptions<Answer> {
  readonly title: string;
  readonly intro?: Child;
  readonly fields?: readonly Field[];
  readonly submit: string;
  /** The button's text while it waits: `Creating…`. */
  readonly busy: string;
  readonly danger?: boolean;
  readonly className?: string;
  readonly focus?: () => HTMLElement | null | undefined;
  readonly opener?: Element | null;
  readonly send: () => Promise<Answer>;
  /** Called with the answer once the dialog is closed. */
  readonly done: (answer: Answer, opener: Element | null) => void;
}

export interface FormDialog extends Dialog {
  /** Whether it may be sent, for a confirmation that must be typed first. */
  allow(allowed: boolean): void;
}

/**
 * A dialog with a form. It checks and sends, and shows errors beside their fields. It closes on success, or when the person agrees
 * to lose the input.
 */
export function openForm<Answer>(options: FormOptions<Answer>): FormDialog {
  const fields = options.fields ?? [];
  const values = () => JSON.stringify(fields.map((field) => field.value()));
  const problem = h('div', { class: 'problem', role: 'alert' });
  const cancel = h('button', { type: 'button', on: { click: () => dialog.requestClose() } }, 'Cancel');
  const submit = h('button', { type: 'submit', class: options.danger ? 'primary danger' : 'primary' }, options.submit);
  const buttons = h('div', { class: 'buttons' }, cancel, submit);
  const leave = h('div', { class: 'buttons leave', role: 'group', hidden: true });
  let busy = false;

  const form = h(
    'form',
    { method: 'post', novalidate: true, on: { submit: (event) => void onSubmit(event) } },
    h('div', { class: 'dialog-body' }, options.intro, ...fields.map(({ element }) => element)),
    h('footer', { class: 'dialog-foot' }, problem, buttons, leave),
  );
  const dialog = openDialog({
    title: options.title,
    body: form,
    ...(options.className !== undefined && { className: options.className }),
    ...(options.opener !== undefined && { opener: options.opener }),
    focus: options.focus ?? (() => form.querySelector<HTMLElement>('input, textarea, select')),
    unsaved: () => busy || values() !== untouched,
    mayClose() {
      if (busy) return false;
      if (values() === untouched) return true;
      askToLeave();
      return false;
    },
  });
  const untouched = values();

  function askToLeave(): void {
    const stay = h('button', { type: 'button', on: { click: () => showLeave(false) } }, 'Keep editing');
    const go = h('button', { type: 'button', class: 'danger', on: { click: () => dialog.close() } }, 'Discard');
    replaceContent(leave, h('p', {}, 'Discard your input?'), stay, go);
    showLeave(true);
    stay.focus();
  }

  function showLeave(shown: boolean): void {
    leave.hidden = !shown;
    buttons.hidden = shown;
    if (!shown) submit.focus();
  }

  async function onSubmit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (busy || submit.getAttribute('aria-disabled') === 'true') return;
    replaceContent(problem);
    const wrong = fields.filter((field) => {
      const error = field.check();
      field.show(error);
      return error !== null;
    });
    if (wrong[0] !== undefined) return wrong[0].focus();
    setBusy(true);
    try {
      const answer = await options.send();
      dialog.close();
      options.done(answer, dialog.opener);
    } catch (error) {
      setBusy(false);
      explain(error);
    }
  }

  function setBusy(value: boolean): void {
    busy = value;
    form.setAttribute('aria-busy', String(value));
    submit.textContent = value ? options.busy : options.submit;
  }

  function explain(error: unknown): void {
    const field =
      error instanceof ApiError
        ? fields.find(({ paths }) => paths.some((path) => within(error.path, path)))
        : undefined;
    if (field !== undefined && error instanceof ApiError) {
      field.show(error.message);
      field.focus();
      return;
    }
    replaceContent(problem, problemOf(error, submit));
    submit.focus();
  }

  return {
    ...dialog,
    allow(allowed) {
      submit.setAttribute('aria-disabled', String(!allowed));
    },
  };
}

/** An error as an element. If the session is over, it offers to sign in again. */
export function problemOf(error: unknown, after?: HTMLElement): Child {
  if (isSignedOut(error)) {
    const again = signInAgain();
    return [
      h('p', {}, 'Your session is over. Your input is still here.'),
      again !== null
        ? h('button', { type: 'button', on: { click: () => again(after ?? null) } }, 'Sign in again')
        : h('p', {}, 'Sign in to the application in another tab, then try again.'),
    ];
  }
  return h('p', {}, sentence(error));
}

/** An error as a sentence. A fault of this page is also written to the browser's console. */
export function sentence(error: unknown): string {
  if (error instanceof ApiError || error instanceof Unreachable) return error.message;
  console.error(error);
  return 'Something went wrong in this page. Reload it, then try again.';
}

function within(path: string, place: string): boolean {
  return path === place || path.startsWith(`${place}.`);
}
