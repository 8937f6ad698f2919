import * as z from 'zod';
import { formatDuration } from '../../domain/duration.js';
import type { LimitStanding, Limits } from '../../domain/limits.js';

const points = z.int('give a whole number').min(1, 'give at least 1');
const length = z.string("give a duration, such as '30d'").meta({ examples: ['1m', '30d'] });

export const rateLimit = z
  .strictObject({ points, duration: length })
  .meta({ id: 'RateLimit', description: 'Calls in a window of time' });
export const quota = z
  .strictObject({ points, refill: length })
  .meta({ id: 'Quota', description: 'Calls in total. All points come back after `refill`' });

export const limitStanding = z
  .object({
    policy: z.enum(['rate', 'quota']),
    points: z.int(),
    duration: length,
    remaining: z.int().meta({ description: '0: calls are refused until resets_at' }),
    resets_at: z.string().nullable().meta({
      format: 'date-time',
      description: 'When all points come back. null: no window has begun, because nothing was used since the last one',
    }),
  })
  .meta({ id: 'LimitStanding', description: 'A limit of a token, with what is left of it' });

export function standingShape({ policy, points, duration, remaining, resetsAt }: LimitStanding) {
  const resets_at = resetsAt?.toISOString() ?? null;
  return { policy, points, duration: formatDuration(duration), remaining, resets_at };
}

/** The limits of a record, in the form in which a body sets them. */
export function limitsShape({ rateLimit, quota }: Limits) {
  return {
    rate_limit: rateLimit && { points: rateLimit.points, duration: formatDuration(rateLimit.duration) },
    quota: quota && { points: quota.points, refill: formatDuration(quota.refill) },
  };
}
