import type { LimitState } from '../domain/limits.js';

/**
 * `RateLimit-Policy` and `RateLimit`, which tell the caller its remaining points (draft-ietf-httpapi-ratelimit-headers:
 * `q` points in `w` seconds; `r` left, `t` seconds until they come back).
 */
export function rateLimitHeaders({ policy, points, duration, remaining, resetIn }: LimitState): Record<string, string> {
  return {
    'RateLimit-Policy': `"${policy}";q=${points};w=${seconds(duration)}`,
    RateLimit: `"${policy}";r=${Math.max(0, remaining)};t=${seconds(resetIn)}`,
  };
}

/** Value of `Retry-After`, in whole seconds (RFC 9110 section 10.2.3). At least 1, because 0 invites an immediate retry. */
export function retryAfter({ resetIn }: LimitState): string {
  return String(Math.max(1, seconds(resetIn)));
}

function seconds(milliseconds: number): number {
  return Math.ceil(milliseconds / 1000);
}
