import { PosternError } from '../domain/errors.js';
import type { LimitPolicy, LimitStanding, TokenRules } from '../domain/limits.js';
import type { RateLimiter, RateWindow } from '../ports/rate-limiter.js';
import type { Ground } from './ground.js';

/** A limit of a token, and the key of its window. */
export interface TokenWindow extends RateWindow {
  readonly policy: LimitPolicy;
  readonly key: string;
}

/** The windows of a token, the rate limit first. */
export function windowsOf(tokenId: string, { rateLimit, quota, windows }: TokenRules): readonly TokenWindow[] {
  // A changed policy starts new windows.
  const key = (policy: LimitPolicy) => `${policy}:${tokenId}:${windows}`;
  return [
    ...(rateLimit === null ? [] : [{ policy: 'rate' as const, key: key('rate'), ...rateLimit }]),
    ...(quota === null
      ? []
      : [{ policy: 'quota' as const, key: key('quota'), points: quota.points, duration: quota.refill }]),
  ];
}

export function limiterOf({ settings }: Ground): RateLimiter {
  if (settings.rateLimiter !== null) return settings.rateLimiter;
  throw new Error(
    'a token has limits, but this postern has no rateLimiter: give createPostern one, such as memoryRateLimiter()',
  );
}

/** Looks at the windows of a token. Nothing is charged. @throws PosternError `unavailable` */
export async function standingsOf(
  ground: Ground,
  tokenId: string,
  rules: TokenRules,
): Promise<readonly LimitStanding[]> {
  const now = ground.time.read();
  try {
    return await Promise.all(
      windowsOf(tokenId, rules).map(async (window): Promise<LimitStanding> => {
        const { policy, points, duration, key } = window;
        const state = await limiterOf(ground).peek(key, window, now);
        if (state === null) return { policy, points, duration, remaining: points, resetsAt: null };
        const { remaining, resetIn } = state;
        return { policy, points, duration, remaining, resetsAt: new Date(now + resetIn) };
      }),
    );
  } catch (error) {
    ground.events.fault('limiter', error, ground.time.latest);
    throw new PosternError('unavailable', 'the limits of this token can not be read now: try again', { cause: error });
  }
}
