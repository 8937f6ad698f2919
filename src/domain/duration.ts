import { PosternError } from './errors.js';
import { quote } from './text.js';

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

/**
 * A length of time: `'30s'`, `'15m'`, `'1h'`, `'90d'`, `'2w'`, `'250ms'`. Numbers are refused, because they have no unit. Only 0
 * is accepted, and means no time.
 */
export type Duration = `${number}${Unit}` | 0;

const MILLISECONDS: Readonly<Record<Unit, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** 1,000 years. A longer one is a mistake, and would overflow a date. */
const LONGEST = 365_000 * MILLISECONDS.d;

/** A duration in milliseconds, or `null` if the value is not a duration. */
export function parseDuration(value: unknown): number | null {
  if (value === 0) return 0;
  const milliseconds = typeof value === 'string' ? fromText(value) : Number.NaN;
  return milliseconds <= LONGEST ? milliseconds : null;
}

/** The problem of a value that is not a duration. @param advice the answer, unless only the unit is missing */
export function durationProblem(value: unknown, advice: string): string {
  return Number.isSafeInteger(value) && Number(value) > 0
    ? `a number has no unit: write '${value}s' or '${value}ms'`
    : advice;
}

/**
 * A duration in milliseconds.
 *
 * @throws PosternError `input_invalid`
 */
export function durationOf(value: unknown, path: string): number {
  const milliseconds = parseDuration(value);
  if (milliseconds === null) {
    throw new PosternError(
      'input_invalid',
      durationProblem(value, `${quote(value)} is not a duration: give one such as '30s', '15m', '1h' or '90d'`),
      { path },
    );
  }
  return milliseconds;
}

/** The shortest text of a duration: `'90s'`, `'1h'`. {@link parseDuration} reads it back. */
export function formatDuration(milliseconds: number): Exclude<Duration, 0> {
  const units: readonly Unit[] = ['d', 'h', 'm', 's'];
  const unit = units.find((each) => milliseconds % MILLISECONDS[each] === 0) ?? 'ms';
  return `${milliseconds / MILLISECONDS[unit]}${unit}`;
}

function fromText(text: string): number {
  const match = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text);
  return match ? Number(match[1]) * MILLISECONDS[match[2] as Unit] : Number.NaN;
}
