import { h, replaceContent, uniqueId } from './dom.js';
import { selectField } from './fields.js';
import type { Field } from './form.js';
import { DAY, fromNow, inFull } from './words.js';

type Choice = 'keep' | '30' | '60' | '90' | 'date' | 'never';

/** ISO 8601; `null`: never; `undefined`: unchanged. */
export type ExpiryField = Field<string | null | undefined>;

/** The end of a token: after some days, at the end of a day, or never. It shows the resulting moment in words. */
export function expiryField(current?: { readonly expiredAt: string | null }): ExpiryField {
  const opened = Date.now();
  const choices: (readonly [Choice, string])[] = [
    ['30', 'In 30 days'],
    ['60', 'In 60 days'],
    ['90', 'In 90 days'],
    ['date', 'On a date'],
    ['never', 'Never'],
  ];
  if (current !== undefined) choices.unshift(['keep', 'Leave as it is']);

  const dateId = uniqueId('date');
  const date = h('input', {
    type: 'date',
    id: dateId,
    min: localDate(opened),
    max: '2999-12-31',
    on: { input: () => say() },
  });
  const dateRow = h(
    'div',
    { class: 'date', hidden: true },
    h('label', { for: dateId, class: 'hidden' }, 'Last day'),
    date,
  );
  const words = h('output', { class: 'hint' });
  const select = selectField<Choice>({
    label: 'Expired At',
    options: choices,
    value: current === undefined ? '30' : 'keep',
    onChange: (choice) => {
      dateRow.hidden = choice !== 'date';
      if (choice === 'date') date.focus();
      say();
    },
  });
  const errorSlot = select.element.querySelector('.error');
  errorSlot?.before(dateRow, words);

  function ends(): number | null {
    const choice = select.value();
    if (choice === 'keep') return current?.expiredAt == null ? null : Date.parse(current.expiredAt);
    if (choice === 'never') return null;
    // The end of that day in the person's time zone.
    return choice === 'date' ? Date.parse(`${date.value}T23:59:59.999`) : opened + Number(choice) * DAY;
  }

  function say(): void {
    const at = ends();
    const end = at === null || Number.isNaN(at) ? null : new Date(at);
    if (end !== null)
      replaceContent(
        words,
        `${at !== null && at <= Date.now() ? 'Ended' : 'Ends'} on ${inFull(end)}, ${fromNow(end)}.`,
      );
    else if (at === null) replaceContent(words, 'Works until it is revoked or deleted.');
    else replaceContent(words, 'Works to the end of the day that you choose.');
  }

  say();
  return {
    element: select.element,
    paths: ['expired_at', 'expiresAt', 'expiresIn', 'expires_in'],
    value() {
      if (select.value() === 'keep') return undefined;
      const at = ends();
      return at === null || Number.isNaN(at) ? null : new Date(at).toISOString();
    },
    check() {
      if (select.value() !== 'date') return null;
      const at = ends();
      if (at === null || Number.isNaN(at)) return 'Choose the last day on which the token works.';
      return at <= Date.now() ? 'Choose a day that is not over yet.' : null;
    },
    show: select.show,
    focus: () => (select.value() === 'date' ? date : select.input).focus(),
  };
}

function localDate(time: number): string {
  const day = new Date(time);
  const padded = (value: number) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${padded(day.getMonth() + 1)}-${padded(day.getDate())}`;
}
