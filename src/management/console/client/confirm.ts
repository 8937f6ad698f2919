import { escapeInvisible } from '../../../domain/text.js';
import { type Child, foreign, h } from './dom.js';
import { textField } from './fields.js';
import { openForm } from './form.js';

export interface ConfirmOptions {
  readonly title: string;
  /** The name of the thing to be deleted. */
  readonly name: string;
  readonly consequences: Child;
  readonly submit: string;
  readonly busy: string;
  readonly send: () => Promise<unknown>;
  readonly done: () => void;
}

/** A dialog for actions that can't be undone: the person must type the name as shown. */
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
    // The typed name is not worth a warning when it is lost.
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

/** HTML shows several spaces as one, so people type one. */
function spaced(text: string): string {
  return text.trim().replace(/\s+/g, ' ');
}
