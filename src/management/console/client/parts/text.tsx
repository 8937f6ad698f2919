import type { ComponentChildren } from 'preact';
import { escapeInvisible } from '../../../../domain/text.js';
import { t } from '../i18n.js';
import { fromNow, inDate, inFull } from '../words.js';

/** Text from someone else: apart from the text direction around it, with invisible and reordering characters escaped. */
export function Foreign({ text, mono }: { readonly text: string; readonly mono?: boolean }) {
  return <bdi class={mono ? 'foreign mono' : 'foreign'}>{escapeInvisible(text)}</bdi>;
}

export function Quiet({ children }: { readonly children: ComponentChildren }) {
  return <span class="quiet">{children}</span>;
}

/** Read by screen readers only. */
export function Hidden({ children }: { readonly children: ComponentChildren }) {
  return <span class="hidden">{children}</span>;
}

interface TimeProps {
  /** ISO 8601; `null`: the text of `none`. */
  readonly at: string | null;
  readonly none?: string;
}

/** `24 Nov 2026` */
export function Day({ at, none = t('app.never') }: TimeProps) {
  if (at === null) return <Quiet>{none}</Quiet>;
  const time = new Date(at);
  return (
    <time dateTime={at} title={inFull(time)}>
      {inDate(time)}
    </time>
  );
}

/** `3 minutes ago` */
export function Ago({ at, none = t('app.never') }: TimeProps) {
  if (at === null) return <Quiet>{none}</Quiet>;
  const time = new Date(at);
  return (
    <time dateTime={at} title={inFull(time)}>
      {fromNow(time)}
    </time>
  );
}

/** `Tuesday, 24 November 2026 at 20:38 (in 30 days)` */
export function Moment({ at, none = t('app.never') }: TimeProps) {
  if (at === null) return <>{none}</>;
  const time = new Date(at);
  return (
    <time dateTime={at}>
      {inFull(time)} <span class="quiet whole">({fromNow(time)})</span>
    </time>
  );
}
