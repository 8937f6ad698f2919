import { PosternError } from './errors.js';
import { quote } from './text.js';

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

/**
 * A length of time: `'30s'`, `'15m'`, `'1h'`, `'90d'`, `'2w'`, `'250ms'`, or a number of milliseconds. A number from 1 to 999
 * is refused, because it was probably meant as seconds. 0 means no time.
 */
export type Duration = `${number}${Unit}` | number;

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

const SECOND = MILLISECONDS.s;

/** A duration in milliseconds, or `null` if the value is not a duration. */
export function parseDuration(value: unknown): number | null {
  if (lacksUnit(value)) return null;
  const milliseconds = typeof value === 'number' ? value : typeof value === 'string' ? fromText(value) : Number.NaN;
  return milliseconds >= 0 && milliseconds <= LONGEST ? Math.floor(milliseconds) : null;
}

/** The problem of a value that is not a duration. @param advice the answer, unless only the unit is missing */
export function durationProblem(value: unknown, advice: string): string {
  return lacksUnit(value)
    ? `${value} has no unit, and would be milliseconds: write '${value}s' or '${value}ms'`
    : advice;
}

function lacksUnit(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < SECOND;
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

function fromText(text: string): number {
  const match = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text);
  return match ? Number(match[1]) * MILLISECONDS[match[2] as Unit] : Number.NaN;
}
