import { escapeInvisible } from '../../../domain/text.js';
import { type Child, foreign, h } from './dom.js';
import { textField } from './fields.js';
import { openForm } from './form.js';

export interface ConfirmOptions {
  readonly title: string;
  /** What is about to go, as it is called. */
  readonly name: string;
  readonly consequences: Child;
  readonly submit: string;
  readonly busy: string;
  readonly send: () => Promise<unknown>;
  readonly done: () => void;
}

/** A dialog for what can't be undone: the name has to be typed, as it is shown. */
export function confirmByName(options: ConfirmOptions): void {
  const wanted = spaced(escapeInvisible(options.name));
  const matches = (typed: string) => spaced(typed) === wanted || typed === options.name;
  const name = textField({
    label: 'Type the name to confirm',
    required: 'Type the name to confirm.',
    check: (typed) => (matches(typed) ? null : 'This is not the name.'),
    onInput: (typed) => form.allow(matches(typed)),
  });
  const form = openForm({
    title: options.title,
    intro: [h('p', {}, options.consequences), h('p', { class: 'named' }, foreign(options.name))],
    // What was typed here is no work that could be lost.
    fields: [{ ...name, value: () => '' }],
    submit: options.submit,
    busy: options.busy,
    danger: true,
    focus: () => name.input,
    send: options.send,
    done: options.done,
  });
  form.allow(false);
}

/** HTML shows several spaces as one, so one is what people type. */
function spaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
