import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../i18n.js';

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly error?: string | undefined;
}

interface Described {
  readonly id: string;
  readonly 'aria-describedby': string;
  readonly 'aria-invalid': 'true' | undefined;
}

interface LabelledProps extends FieldProps {
  readonly note?: string;
  readonly more?: ComponentChildren;
  readonly control: (described: Described) => ComponentChildren;
}

/** A control with its label, its hint and its error. */
export function Labelled({ label, hint, error, note, more, control }: LabelledProps) {
  const id = useId();
  const described = {
    id,
    'aria-describedby': hint ? `${id}-hint ${id}-error` : `${id}-error`,
    'aria-invalid': error === undefined ? undefined : ('true' as const),
  };
  return (
    <div class={error === undefined ? 'field' : 'field wrong'}>
      <label for={id}>
        {label}
        {note && <span class="aside"> {note}</span>}
      </label>
      {control(described)}
      {more}
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <p class="error" id={`${id}-error`}>
        {error}
      </p>
    </div>
  );
}

interface TextFieldProps extends FieldProps {
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly required?: boolean;
  readonly most?: number;
  readonly multiline?: boolean;
  readonly secret?: boolean;
  readonly mono?: boolean;
}

export function TextField({ value, onInput, required, most, multiline, secret, mono, ...field }: TextFieldProps) {
  return (
    <Labelled
      {...field}
      {...(!required && { note: t('app.optional') })}
      control={(described) => {
        const shared = {
          ...described,
          value,
          maxLength: most,
          required,
          autocomplete: 'off',
          autocapitalize: 'off' as const,
          onInput: ({ currentTarget }: { readonly currentTarget: { readonly value: string } }) =>
            onInput(currentTarget.value),
        };
        if (multiline) return <textarea {...shared} rows={2} />;
        const typed = { ...shared, class: mono ? 'mono' : undefined, spellcheck: false };
        return secret ? <input {...typed} type="password" /> : <input {...typed} type="text" />;
      }}
    />
  );
}

export type Options<Value extends string> = readonly (readonly [Value, string])[];

interface SelectFieldProps<Value extends string> extends FieldProps {
  readonly value: Value;
  readonly options: Options<Value>;
  readonly onChange: (value: Value) => void;
  /** Below the control. */
  readonly more?: ComponentChildren;
}

export function SelectField<Value extends string>(props: SelectFieldProps<Value>) {
  const { value, options, onChange, ...field } = props;
  return (
    <Labelled
      {...field}
      control={(described) => (
        <select {...described} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as Value)}>
          <OptionList options={options} />
        </select>
      )}
    />
  );
}

interface FilterProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly options: Options<Value>;
  readonly onChange: (value: Value) => void;
}

/** A choice in a toolbar: its label is above it. */
export function Filter<Value extends string>({ label, value, options, onChange }: FilterProps<Value>) {
  const id = useId();
  return (
    <div class="filter">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={({ currentTarget }) => onChange(currentTarget.value as Value)}>
        <OptionList options={options} />
      </select>
    </div>
  );
}

function OptionList<Value extends string>({ options }: { readonly options: Options<Value> }) {
  return (
    <>
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </>
  );
}

interface ChoiceProps {
  readonly type?: 'checkbox' | 'radio' | 'switch';
  readonly name?: string;
  readonly label: ComponentChildren;
  readonly hint?: ComponentChildren;
  readonly checked: boolean;
  readonly off?: boolean | undefined;
  readonly onChange: (checked: boolean) => void;
}

/** A box, a switch or one of several, with a line below. */
export function Choice({ type = 'checkbox', name, label, hint, checked, off, onChange }: ChoiceProps) {
  const id = useId();
  const shared = {
    id: `${id}-control`,
    checked,
    disabled: off,
    'aria-describedby': hint ? id : undefined,
    onChange: ({ currentTarget }: { readonly currentTarget: HTMLInputElement }) => onChange(currentTarget.checked),
  };
  return (
    <div class={type === 'switch' ? 'choice switch' : 'choice'}>
      <label for={`${id}-control`}>
        {type === 'radio' && <input {...shared} type="radio" name={name} />}
        {type === 'switch' && <input {...shared} type="checkbox" role="switch" aria-checked={checked} />}
        {type === 'checkbox' && <input {...shared} type="checkbox" />}
        <span class="choice-label">{label}</span>
      </label>
      {hint && (
        <p class="hint" id={id}>
          {hint}
        </p>
      )}
    </div>
  );
}

interface RadioFieldProps<Value extends string> extends FieldProps {
  readonly value: Value;
  readonly options: readonly { readonly value: Value; readonly label: string; readonly hint?: string }[];
  readonly onChange: (value: Value) => void;
}

/** One of a few, each with a line of explanation. */
export function RadioField<Value extends string>({ label, error, value, options, onChange }: RadioFieldProps<Value>) {
  const name = useId();
  return (
    <Group label={label} error={error}>
      <div class="choices">
        {options.map((option) => (
          <Choice
            key={option.value}
            type="radio"
            name={name}
            label={option.label}
            hint={option.hint}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
        ))}
      </div>
    </Group>
  );
}

interface GroupProps extends FieldProps {
  readonly children: ComponentChildren;
}

/** Several controls under one label. */
export function Group({ label, error, children }: GroupProps) {
  const id = useId();
  return (
    <fieldset class={error === undefined ? 'field' : 'field wrong'} aria-describedby={`${id}-error`}>
      <legend>{label}</legend>
      {children}
      <p class="error" id={`${id}-error`}>
        {error}
      </p>
    </fieldset>
  );
}

interface SearchProps {
  readonly label: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
}

export function Search({ label, value, onInput }: SearchProps) {
  return (
    <input
      type="search"
      class="search"
      aria-label={label}
      placeholder={label}
      maxLength={200}
      value={value}
      onInput={({ currentTarget }) => onInput(currentTarget.value)}
      // Enter in a search box would send the form around it.
      onKeyDown={(event) => event.key === 'Enter' && event.preventDefault()}
    />
  );
}

/** A text to filter by. Its hint is shown in it while it is empty. */
export function TextFilter({ label, hint, value, onInput }: SearchProps & { readonly hint: string }) {
  return (
    <label class="filter">
      <span>{label}</span>
      <input
        type="search"
        placeholder={hint}
        maxLength={200}
        value={value}
        onInput={({ currentTarget }) => onInput(currentTarget.value)}
      />
    </label>
  );
}
