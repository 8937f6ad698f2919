import { append, type Child, h, setAttribute, uniqueId } from './dom.js';
import type { Field } from './form.js';

export interface TextFieldOptions {
  readonly label: string;
  readonly hint?: Child;
  readonly value?: string;
  readonly required?: string;
  readonly maxLength?: number;
  readonly multiline?: boolean;
  readonly type?: string;
  readonly placeholder?: string;
  readonly monospace?: boolean;
  readonly paths?: readonly string[];
  readonly check?: (value: string) => string | null;
  readonly onInput?: (value: string) => void;
}

export interface TextField extends Field<string> {
  readonly input: HTMLInputElement | HTMLTextAreaElement;
}

/** A text field of one line or several. `required` is the message for an empty one. */
export function textField(options: TextFieldOptions): TextField {
  const attributes = {
    maxlength: options.maxLength,
    placeholder: options.placeholder,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: options.multiline ? undefined : 'false',
    class: options.monospace ? 'mono' : undefined,
    required: options.required !== undefined,
    on: { input: () => options.onInput?.(input.value) },
  };
  const input = options.multiline
    ? h('textarea', { ...attributes, rows: 2 })
    : h('input', { ...attributes, type: options.type ?? 'text' });
  input.value = options.value ?? '';
  const frame = labelled(options.label, input, options.hint, options.required === undefined ? 'optional' : undefined);
  return {
    element: frame.element,
    input,
    paths: options.paths ?? [],
    value: () => input.value,
    check() {
      if (options.required !== undefined && input.value.trim() === '') return options.required;
      return options.check?.(input.value) ?? null;
    },
    show: frame.show,
    focus: () => input.focus(),
  };
}

export interface SelectOptions<Value extends string> {
  readonly label: string;
  readonly hint?: Child;
  readonly options: readonly (readonly [Value, string])[];
  readonly value: Value;
  readonly paths?: readonly string[];
  readonly onChange?: (value: Value) => void;
}

export interface SelectField<Value extends string> extends Field<Value> {
  readonly input: HTMLSelectElement;
}

export function selectField<Value extends string>(options: SelectOptions<Value>): SelectField<Value> {
  const input = select(options);
  const frame = labelled(options.label, input, options.hint);
  return {
    element: frame.element,
    input,
    paths: options.paths ?? [],
    value: () => input.value as Value,
    check: () => null,
    show: frame.show,
    focus: () => input.focus(),
  };
}

function select<Value extends string>({ options, value, onChange }: SelectOptions<Value>): HTMLSelectElement {
  const input = h(
    'select',
    { on: { change: () => onChange?.(input.value as Value) } },
    options.map(([key, text]) => h('option', { value: key }, text)),
  );
  input.value = value;
  return input;
}

export interface RadioOptions<Value extends string> {
  readonly label: string;
  readonly options: readonly {
    readonly value: Value;
    readonly label: string;
    readonly hint?: string;
    readonly disabled?: boolean;
  }[];
  readonly value: Value;
  readonly paths?: readonly string[];
  readonly onChange?: (value: Value) => void;
}

/** A choice of one of a few, each with a line of explanation. */
export function radioField<Value extends string>(options: RadioOptions<Value>): Field<Value> {
  const name = uniqueId('radio');
  const inputs = options.options.map(({ value, disabled }) =>
    h('input', {
      type: 'radio',
      name,
      value,
      checked: value === options.value,
      disabled,
      on: { change: () => options.onChange?.(value) },
    }),
  );
  const group = fieldGroup(
    options.label,
    h(
      'div',
      { class: 'choices' },
      options.options.map((option, index) => choice(inputs[index] as HTMLInputElement, option.label, option.hint)),
    ),
  );
  return {
    element: group.element,
    paths: options.paths ?? [],
    value: () => inputs.find(({ checked }) => checked)?.value as Value,
    check: () => null,
    show: group.show,
    focus: () => (inputs.find(({ checked }) => checked) ?? inputs[0])?.focus(),
  };
}

/** A switch with a line of explanation. */
export function switchInput(label: string, hint: string, checked: boolean, onChange: (on: boolean) => void) {
  const hintId = uniqueId('hint');
  const input = h('input', {
    type: 'checkbox',
    role: 'switch',
    checked,
    'aria-describedby': hintId,
    on: { change: () => onChange(input.checked) },
  });
  const element = h(
    'div',
    { class: 'switch' },
    h('label', {}, input, h('span', { class: 'choice-label' }, label)),
    h('p', { class: 'hint', id: hintId }, hint),
  );
  return { element, input };
}

/** A box or a radio with its label, and a line below. */
export function choice(input: HTMLInputElement, label: Child, hint?: string): HTMLElement {
  const hintId = uniqueId('hint');
  if (hint !== undefined) input.setAttribute('aria-describedby', hintId);
  return h(
    'div',
    { class: 'choice' },
    h('label', {}, input, h('span', { class: 'choice-label' }, label)),
    hint !== undefined && h('p', { class: 'hint', id: hintId }, hint),
  );
}

/** Several controls under one label, with a place for an error. */
export function fieldGroup(label: string, ...content: readonly Child[]) {
  const errorId = uniqueId('error');
  const error = h('p', { class: 'error', id: errorId });
  const element = h(
    'fieldset',
    { class: 'field', 'aria-describedby': errorId },
    h('legend', {}, label),
    content,
    error,
  );
  const show = (message: string | null) => {
    error.textContent = message ?? '';
    element.classList.toggle('wrong', message !== null);
  };
  return { element, show };
}

function labelled(label: string, input: HTMLElement, hint: Child, note?: string) {
  const id = uniqueId('field');
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const error = h('p', { class: 'error', id: errorId });
  input.id = id;
  input.setAttribute('aria-describedby', hint ? `${hintId} ${errorId}` : errorId);
  const element = h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label, note !== undefined && h('span', { class: 'note' }, ` ${note}`)),
  );
  append(element, [input, hint ? h('p', { class: 'hint', id: hintId }, hint) : null, error]);
  const show = (message: string | null) => {
    error.textContent = message ?? '';
    setAttribute(input, 'aria-invalid', message !== null ? 'true' : null);
    element.classList.toggle('wrong', message !== null);
  };
  return { element, show };
}
