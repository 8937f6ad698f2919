export {
  postgresRateLimiter,
  type RateLimiterPool,
  type RateLimiterRedisClient,
  redisRateLimiter,
} from '../limits/flexible.js';
export { memoryRateLimiter } from '../limits/memory.js';
export type { Consumed, RateLimiter, RateWindow, WindowState } from '../ports/rate-limiter.js';
