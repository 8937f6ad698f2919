import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { isSignedOut, sentence } from '../api.js';
import { t } from '../i18n.js';
import { Button } from './button.js';

interface PageHeadProps {
  readonly title: ComponentChildren;
  readonly lead?: ComponentChildren;
  /** Above the title: the way back. */
  readonly above?: ComponentChildren;
  readonly actions?: ComponentChildren;
}

/** The head of a page: its heading, a line about its purpose, and its actions. */
export function PageHead({ title, lead, above, actions }: PageHeadProps) {
  return (
    <header class="page-head">
      {above}
      <div class="page-head-row">
        <h1 tabIndex={-1}>{title}</h1>
        {actions && <div class="buttons">{actions}</div>}
      </div>
      {lead && <p class="lead">{lead}</p>}
    </header>
  );
}

/** A part of a page under its own heading. */
export function Section({ title, children }: { readonly title: string; readonly children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}

/** A list with nothing in it: why, and the way on. */
export function Empty({ title, children, action }: EmptyProps) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** Something that could not be read. */
export function Failed({ error, retry }: { readonly error: unknown; readonly retry: () => void }) {
  return (
    <div class="empty failed" role="alert">
      <h2>{t('error.failed')}</h2>
      <p>{isSignedOut(error) ? t('error.sessionOver') : sentence(error)}</p>
      <Button onClick={retry}>{t('app.tryAgain')}</Button>
    </div>
  );
}

export function Loading() {
  return (
    <p class="loading" role="status">
      {t('app.loading')}
    </p>
  );
}

type Tone = 'note' | 'warning' | 'danger';

/** A remark that stands out. */
export function Notice({ tone = 'note', children }: { readonly tone?: Tone; readonly children: ComponentChildren }) {
  return <div class={`notice ${tone}`}>{children}</div>;
}

export interface Fact {
  readonly label: string;
  readonly value: ComponentChildren;
}

/** Names and values. */
export function Facts({ facts }: { readonly facts: readonly (Fact | false)[] }) {
  return (
    <dl class="facts">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact.label}>
              <dt>{fact.label}</dt>
              <dd>{fact.value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}
