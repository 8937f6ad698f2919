import { useEffect, useRef } from 'preact/hooks';
import { t } from '../i18n.js';
import { type Options, SelectField } from '../parts/fields.js';
import { DAY, fromNow, inFull } from '../words.js';

type Preset = 'keep' | '7' | '30' | '90' | '365' | 'date' | 'never';

export interface Expiry {
  readonly preset: Preset;
  /** `2026-11-30`; of the preset `date` only. */
  readonly date: string;
}

export const IN_30_DAYS: Expiry = { preset: '30', date: '' };
export const KEEP: Expiry = { preset: 'keep', date: '' };

/** The end in milliseconds: `null`: never; `NaN`: no day is chosen yet; `undefined`: as it is. */
export function endOf({ preset, date }: Expiry, now: number): number | null | undefined {
  if (preset === 'keep') return undefined;
  if (preset === 'never') return null;
  // The end of that day in the person's time zone.
  return preset === 'date' ? Date.parse(`${date}T23:59:59.999`) : now + Number(preset) * DAY;
}

export function expiryError(expiry: Expiry): string | undefined {
  if (expiry.preset !== 'date') return undefined;
  const end = endOf(expiry, 0) as number;
  if (Number.isNaN(end)) return t('form.dateMissing');
  return end <= Date.now() ? t('form.dateOver') : undefined;
}

interface ExpiryFieldProps {
  readonly value: Expiry;
  /** The moment from which the presets count. */
  readonly now: number;
  /** The present end of a token that is changed. */
  readonly current?: string | null;
  readonly error?: string | undefined;
  readonly onChange: (value: Expiry) => void;
}

/** The end of a token: after some days, at the end of a day, or never. It shows the resulting moment in words. */
export function ExpiryField({ value, now, current, error, onChange }: ExpiryFieldProps) {
  const date = useRef<HTMLInputElement>(null);
  const options: Options<Preset> = [
    ...(current === undefined ? [] : [['keep', t('form.keep')] as const]),
    ...(['7', '30', '90'] as const).map((days) => [days, t('form.days', { count: Number(days) })] as const),
    ['365', t('form.year')],
    ['date', t('form.onDate')],
    ['never', t('app.never')],
  ];
  useEffect(() => {
    if (value.preset === 'date') date.current?.focus();
  }, [value.preset]);
  const end = endOf(value, now);
  const shown = end === undefined ? endOfIso(current ?? null) : end;
  return (
    <SelectField
      label={t('form.expires')}
      value={value.preset}
      options={options}
      error={error}
      onChange={(preset) => onChange({ ...value, preset })}
      more={
        <>
          {value.preset === 'date' && (
            <input
              type="date"
              class="date"
              aria-label={t('form.lastDay')}
              aria-invalid={error === undefined ? undefined : 'true'}
              ref={date}
              value={value.date}
              min={localDate(now)}
              max="2999-12-31"
              onInput={({ currentTarget }) => onChange({ ...value, date: currentTarget.value })}
            />
          )}
          <output class="hint">{inWords(shown)}</output>
        </>
      }
    />
  );
}

function endOfIso(iso: string | null): number | null {
  return iso === null ? null : Date.parse(iso);
}

function inWords(end: number | null): string {
  if (end === null) return t('form.endsNever');
  if (Number.isNaN(end)) return t('form.endsChosen');
  const time = new Date(end);
  const values = { date: inFull(time), relative: fromNow(time) };
  return t(end <= Date.now() ? 'form.endedOn' : 'form.endsOn', values);
}

function localDate(time: number): string {
  const day = new Date(time);
  const padded = (value: number) => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${padded(day.getMonth() + 1)}-${padded(day.getDate())}`;
}
