import * as z from 'zod';
import { type Duration, durationProblem, parseDuration } from '../domain/duration.js';

interface Bounds {
  readonly least?: Duration;
  readonly most?: Duration;
}

/** A duration in someone's input, read as milliseconds. */
export function duration(example: Duration, { least, most }: Bounds = {}) {
  const bounds = [least !== undefined && ` of at least '${least}'`, most !== undefined && ` of at most '${most}'`];
  const fits = (value: unknown) => {
    const length = parseDuration(value);
    return length !== null && length >= bound(least, 0) && length <= bound(most, Number.POSITIVE_INFINITY);
  };
  return z
    .custom<Duration>(fits, {
      error: ({ input }) =>
        durationProblem(
          input,
          `give a duration${bounds.filter(Boolean).join(' and')}, such as '${example}' (units: ms, s, m, h, d, w)`,
        ),
    })
    .transform((value) => parseDuration(value) as number);
}

function bound(value: Duration | undefined, otherwise: number): number {
  return value === undefined ? otherwise : (parseDuration(value) as number);
}
