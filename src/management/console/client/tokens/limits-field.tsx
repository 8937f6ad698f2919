import { useId } from 'preact/hooks';
import { t, tx } from '../i18n.js';
import { Choice as Box } from '../parts/fields.js';
import { inUnit } from '../words.js';
import { type LimitDraft, wrongIn } from './limit-draft.js';

interface LimitValues {
  readonly rate: LimitDraft;
  readonly quota: LimitDraft;
}

interface LimitsFieldProps {
  readonly values: LimitValues;
  readonly errors: { readonly [Key in keyof LimitValues]?: string | undefined };
  readonly onChange: (key: keyof LimitValues, value: LimitDraft) => void;
}

/** The limits of a token, each with a switch. */
export function LimitsField({ values, errors, onChange }: LimitsFieldProps) {
  return (
    <fieldset class="field types">
      <legend>{t('limits.title')}</legend>
      <LimitRow
        label={t('form.rate')}
        hint={t('form.rateHint')}
        value={values.rate}
        error={errors.rate}
        onChange={(value) => onChange('rate', value)}
      />
      <LimitRow
        label={t('form.quota')}
        hint={t('form.quotaHint')}
        value={values.quota}
        error={errors.quota}
        onChange={(value) => onChange('quota', value)}
      />
    </fieldset>
  );
}

interface LimitRowProps {
  readonly label: string;
  readonly hint: string;
  readonly value: LimitDraft;
  readonly error: string | undefined;
  readonly onChange: (value: LimitDraft) => void;
}

const UNITS: readonly string[] = ['s', 'm', 'h', 'd'];

function LimitRow({ label, hint, value, error, onChange }: LimitRowProps) {
  const id = useId();
  const wrong = wrongIn(value);
  const units = UNITS.includes(value.unit) ? UNITS : [value.unit, ...UNITS];
  const part = (key: 'points' | 'length', name: string, digits: number) => (
    <input
      type="text"
      inputMode="numeric"
      autocomplete="off"
      size={digits}
      maxLength={digits}
      aria-label={`${label}: ${name}`}
      aria-describedby={id}
      // An error of the server may be about either.
      aria-invalid={error !== undefined && (wrong ?? key) === key ? 'true' : undefined}
      value={value[key]}
      onInput={({ currentTarget }) => onChange({ ...value, [key]: currentTarget.value })}
    />
  );
  return (
    <div class={value.on ? 'type on' : 'type'}>
      <Box type="switch" label={label} hint={hint} checked={value.on} onChange={(on) => onChange({ ...value, on })} />
      {value.on && (
        <div class="panel">
          <div class="limit-row">
            {tx('form.limit', {
              points: part('points', t('token.calls'), 10),
              time: (
                <span class="limit-row">
                  {part('length', t('form.limitLength'), 7)}
                  <select
                    aria-label={`${label}: ${t('form.limitUnit')}`}
                    value={value.unit}
                    onChange={({ currentTarget }) => onChange({ ...value, unit: currentTarget.value })}
                  >
                    {units.map((unit) => (
                      <option key={unit} value={unit}>
                        {inUnit(Number(value.length), unit)}
                      </option>
                    ))}
                  </select>
                </span>
              ),
            })}
          </div>
          <p class="error" id={id} role="alert">
            {error}
          </p>
        </div>
      )}
    </div>
  );
}
