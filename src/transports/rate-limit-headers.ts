import type { LimitState } from '../domain/limits.js';

/**
 * What is left to the caller: `RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers has them
 * (`q` points in `w` seconds; `r` left, `t` seconds until they come back).
 */
export function rateLimitHeaders({ policy, points, duration, remaining, resetIn }: LimitState): Record<string, string> {
  return {
    'RateLimit-Policy': `"${policy}";q=${points};w=${seconds(duration)}`,
    RateLimit: `"${policy}";r=${Math.max(0, remaining)};t=${seconds(resetIn)}`,
  };
}

/** When to come back, in whole seconds (RFC 9110 section 10.2.3). At least one: 0 would invite to come back at once. */
export function retryAfter({ resetIn }: LimitState): string {
  return String(Math.max(1, seconds(resetIn)));
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
