import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ApiError, isSignedOut, sentence } from '../api.js';
import { t } from '../i18n.js';
import { signInAgain } from '../session.js';
import { Button } from './button.js';
import { type Close, Dialog } from './dialog.js';

/** The error of each field that is wrong, as a sentence. */
export type Errors<Values> = { readonly [Key in keyof Values]?: string | undefined };

export interface Form<Values> {
  readonly values: Values;
  /** Shown from the first attempt to send on. Each goes as soon as its field is mended. */
  readonly errors: Errors<Values>;
  set<Key extends keyof Values>(key: Key, value: Values[Key]): void;
}

export interface FormDialogProps<Values extends object, Answer> {
  readonly title: string;
  readonly close: Close;
  readonly initial: Values;
  /** The fields that are wrong. A pure function: it is asked after each change. */
  readonly check?: (values: Values) => Errors<Values>;
  /** Path of the request body → the field that fills it. An error of the API with this path is shown there. */
  readonly paths?: Readonly<Record<string, string>>;
  readonly submit: string;
  /** The button's text while it waits: `Creating…`. */
  readonly busy: string;
  readonly danger?: boolean;
  readonly wide?: boolean;
  /** Whether it may be sent: for a confirmation that must be typed first, or a preview that must be seen. */
  readonly allowed?: (values: Values) => boolean;
  /** Whether the input is worth a question when it would be lost. Default: if it was changed. */
  readonly keeps?: boolean;
  readonly send: (values: Values) => Promise<Answer>;
  /** Called with the answer once the dialog is closed. */
  readonly done: (answer: Answer) => void;
  readonly children: (form: Form<Values>) => ComponentChildren;
}

interface Refused<Values> {
  /** `null`: about no field of this form. */
  readonly key: keyof Values | null;
  readonly error: unknown;
}

/**
 * A dialog with a form. It checks and sends, and shows errors beside their fields. It closes on success, or when the person agrees
 * to lose the input.
 */
export function FormDialog<Values extends object, Answer>(props: FormDialogProps<Values, Answer>) {
  const { initial, check, paths = {}, allowed, keeps = true, send, done, close } = props;
  const [values, setValues] = useState(initial);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [leaving, setLeaving] = useState(false);
  const [refused, setRefused] = useState<Refused<Values> | null>(null);
  /** Counts the attempts that failed: after each, the first wrong field gets the focus. */
  const [failures, setFailures] = useState(0);
  const form = useRef<HTMLFormElement>(null);
  const stay = useRef<HTMLButtonElement>(null);
  const submit = useRef<HTMLButtonElement>(null);
  /** The present values, also before the next rendering. */
  const latest = useRef(values);
  const isBusy = useRef(false);

  const told = refused?.key == null ? {} : { [refused.key]: sentence(refused.error) };
  const errors = { ...(tried ? check?.(values) : {}), ...told } as Errors<Values>;
  const mayBeSent = allowed?.(values) ?? true;
  const isChanged = keeps && JSON.stringify(values) !== JSON.stringify(initial);

  useLayoutEffect(() => {
    if (failures === 0) return;
    const wrong = form.current?.querySelector<HTMLElement>(
      '[aria-invalid="true"], .wrong :is(input, select, textarea, button):not(:disabled)',
    );
    (wrong ?? submit.current)?.focus();
    wrong?.scrollIntoView({ block: 'nearest' });
  }, [failures]);

  useLayoutEffect(() => {
    if (leaving) stay.current?.focus();
  }, [leaving]);

  function set<Key extends keyof Values>(key: Key, value: Values[Key]): void {
    latest.current = { ...latest.current, [key]: value };
    setValues(latest.current);
    if (refused?.key === key || refused?.key === null) setRefused(null);
  }

  async function onSubmit(event: Event): Promise<void> {
    event.preventDefault();
    if (isBusy.current || !mayBeSent) return;
    setTried(true);
    setRefused(null);
    if (Object.values(check?.(latest.current) ?? {}).some((error) => error !== undefined)) {
      setFailures(failures + 1);
      return;
    }
    isBusy.current = true;
    setBusy(true);
    try {
      const answer = await send(latest.current);
      close();
      done(answer);
    } catch (error) {
      setRefused({ key: fieldOf(error, paths, initial), error });
      setFailures(failures + 1);
    } finally {
      isBusy.current = false;
      setBusy(false);
    }
  }

  function mayClose(): boolean {
    if (isBusy.current) return false;
    if (!isChanged) return true;
    setLeaving(true);
    stay.current?.focus();
    return false;
  }

  return (
    <Dialog
      title={props.title}
      close={close}
      wide={props.wide}
      mayClose={mayClose}
      unsaved={() => isBusy.current || isChanged}
    >
      <form method="post" novalidate ref={form} aria-busy={busy} onSubmit={(event) => void onSubmit(event)}>
        <div class="dialog-body">{props.children({ values, errors, set })}</div>
        <footer class="dialog-foot">
          <div class="problem" role="alert">
            {refused !== null && refused.key === null && <ProblemOf error={refused.error} />}
          </div>
          {leaving ? (
            <div class="buttons leave">
              <p>{t('form.discard')}</p>
              <Button
                buttonRef={stay}
                onClick={() => {
                  setLeaving(false);
                  requestAnimationFrame(() => submit.current?.focus());
                }}
              >
                {t('form.keepEditing')}
              </Button>
              <Button kind="danger" onClick={close}>
                {t('form.discardIt')}
              </Button>
            </div>
          ) : (
            <div class="buttons">
              <Button
                onClick={() => {
                  if (mayClose()) close();
                }}
              >
                {t('app.cancel')}
              </Button>
              <Button submit kind={props.danger ? 'danger' : 'primary'} off={!mayBeSent} buttonRef={submit}>
                {busy ? props.busy : props.submit}
              </Button>
            </div>
          )}
        </footer>
      </form>
    </Dialog>
  );
}

/** The field that an error is about; `null`: none of this form. */
function fieldOf<Values extends object>(error: unknown, paths: Readonly<Record<string, string>>, fields: Values) {
  if (!(error instanceof ApiError) || isSignedOut(error)) return null;
  const [, key = ''] =
    Object.entries(paths).find(([path]) => error.path === path || error.path.startsWith(`${path}.`)) ?? [];
  return Object.hasOwn(fields, key) ? (key as keyof Values) : null;
}

/** An error of an action. If the session is over, it offers to sign in again. */
export function ProblemOf({ error }: { readonly error: unknown }) {
  if (!isSignedOut(error)) return <p>{sentence(error)}</p>;
  const again = signInAgain();
  return (
    <>
      <p>{t('error.inputKept')}</p>
      {again === null ? <p>{t('error.signInElsewhere')}</p> : <Button onClick={again}>{t('gate.again')}</Button>}
    </>
  );
}
