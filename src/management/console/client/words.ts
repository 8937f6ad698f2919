import { language, locale } from './i18n.js';

/** Times, counts and names, in the words of the person's language. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const moment = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const precise = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
const number = new Intl.NumberFormat(locale);
const list = new Intl.ListFormat(language, { type: 'conjunction' });
const row = new Intl.ListFormat(language, { type: 'unit', style: 'short' });
const choice = new Intl.ListFormat(language, { type: 'disjunction' });

/** `24 Nov 2026` */
export const inDate = (time: Date): string => date.format(time);

/** `Tuesday, 24 November 2026 at 20:38` */
export const inFull = (time: Date): string => moment.format(time);

/** `24 Nov 2026, 20:38:05` */
export const inSeconds = (time: Date): string => precise.format(time);

export const inDigits = (count: number): string => number.format(count);

/** `3 minutes ago`, `in 30 days`, `now` */
export function fromNow(time: Date, now = Date.now()): string {
  const difference = time.getTime() - now;
  const size = Math.abs(difference);
  if (size < MINUTE) return relative.format(Math.round(difference / 1000), 'second');
  if (size < HOUR) return relative.format(Math.round(difference / MINUTE), 'minute');
  if (size < DAY) return relative.format(Math.round(difference / HOUR), 'hour');
  if (size < 60 * DAY) return relative.format(Math.round(difference / DAY), 'day');
  if (size < 730 * DAY) return relative.format(Math.round(difference / (30.44 * DAY)), 'month');
  return relative.format(Math.round(difference / (365.25 * DAY)), 'year');
}

const UNITS: Readonly<Record<string, string>> = {
  ms: 'millisecond',
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
};

const withUnit = (unit: string) => new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });

/** `90d` → `90 days` */
export function inLife(life: string): string {
  const [, count = '', letter = ''] = /^(\d+)(ms|[smhdw])$/.exec(life) ?? [];
  const unit = UNITS[letter];
  if (unit === undefined) return life;
  return withUnit(unit).format(Number(count));
}

/** The unit of a count: `d` → `days` */
export function inUnit(count: number, letter: string): string {
  const parts = withUnit(UNITS[letter] ?? 'second').formatToParts(Number.isNaN(count) ? 0 : count);
  return parts.find(({ type }) => type === 'unit')?.value ?? letter;
}

/** `a`, `a and b`, `a, b and c` */
export const listed = (items: readonly string[]): string => list.format(items);

/** `a`, `a, b`: for a list within a sentence that has another one. */
export const inRow = (items: readonly string[]): string => row.format(items);

/** `a`, `a or b` */
export const eitherOf = (items: readonly string[]): string => choice.format(items);

/** `developer` → `Developer`; `batch_job` → `Batch job` */
export function titled(name: string): string {
  const spaced = name.replace(/[_-]+/g, ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
