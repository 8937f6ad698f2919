export {
  postgresRateLimiter,
  type RateLimiterPool,
  type RateLimiterRedisClient,
  redisRateLimiter,
} from '../limits/flexible.js';
export { memoryRateLimiter } from '../limits/memory.js';
export type { Consumed, RateLimiter, RateWindow } from '../ports/rate-limiter.js';
