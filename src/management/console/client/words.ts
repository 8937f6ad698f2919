/** Times, counts and names, in words. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const LOCALE = 'en-GB';
const date = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const moment = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'full', timeStyle: 'short' });
const precise = new Intl.DateTimeFormat(LOCALE, {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const number = new Intl.NumberFormat(LOCALE);

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

/** `1 token`, `2 tokens` */
export function counted(count: number, noun: string): string {
  return `${inDigits(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c` */
export function listed(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** `developer` → `Developer`; `batch_job` → `Batch job` */
export function titled(name: string): string {
  const spaced = name.replace(/[_-]+/g, ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
