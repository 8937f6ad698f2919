import { PosternError } from './errors.js';
import { quote } from './text.js';

type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'w';

/** A length of time: `'30s'`, `'15m'`, `'1h'`, `'90d'`, `'2w'`, `'250ms'`, or a number of milliseconds. */
export type Duration = `${number}${Unit}` | number;

const MILLISECONDS: Readonly<Record<Unit, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** The longest duration that makes sense of a date: 1,000 years. Longer ones are a slip, and would overflow a date. */
const LONGEST = 365_000 * MILLISECONDS.d;

/** A duration in milliseconds, or `null` where the text is none. */
export function parseDuration(value: unknown): number | null {
  const milliseconds = typeof value === 'number' ? value : typeof value === 'string' ? fromText(value) : Number.NaN;
  return milliseconds >= 0 && milliseconds <= LONGEST ? Math.floor(milliseconds) : null;
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
      `${quote(value)} is no duration: give a duration such as '30s', '15m', '1h' or '90d', or a number of milliseconds`,
      { path },
    );
  }
  return milliseconds;
}

function fromText(text: string): number {
  const match = /^(\d{1,15})(ms|s|m|h|d|w)$/.exec(text);
  return match ? Number(match[1]) * MILLISECONDS[match[2] as Unit] : Number.NaN;
}
