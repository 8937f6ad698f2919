import type { RateLimiterRes } from 'rate-limiter-flexible';
import * as z from 'zod';
import { check, unpolluted } from '../base/check.js';
import { after, delay } from '../base/runtime.js';
import { isPosternError, PosternError } from '../domain/errors.js';
import type { Consumed, RateLimiter, RateWindow } from '../ports/rate-limiter.js';

/** The used part of a limiter of `rate-limiter-flexible`. */
interface FlexibleLimiter {
  consume(key: string, points: number, options: { readonly customDuration: number }): Promise<RateLimiterRes>;
}

/** Above every limit. Each call brings its own window, so one limiter of the package counts all of ours. */
const UNLIMITED = Number.MAX_SAFE_INTEGER;
const TABLE = 'rate_limits';
const KEY_PREFIX = 'postern';

/** A pool of `pg`, or an object like it. */
export interface RateLimiterPool {
  query(query: { readonly text: string; readonly values?: unknown[] }): Promise<unknown>;
}

/**
 * Counts in PostgreSQL. Limits are exact across processes. The first call makes the table `rate_limits` in the schema.
 *
 * @param options.schema the schema of the table. It must exist. Default `'public'`
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function postgresRateLimiter(options: {
  readonly pool: RateLimiterPool;
  readonly schema?: string;
}): RateLimiter {
  const { pool, schema } = check(postgresOptions, options, 'postgresRateLimiter', 'option_invalid');
  // Drops the names of the package's prepared statements: two limiters on one pool would share them, and a pooler loses them.
  const storeClient = {
    query: ({ text, values }: { text: string; values?: unknown[] }) => pool.query({ text, ...(values && { values }) }),
  };
  const base = {
    storeClient,
    storeType: 'pool',
    points: UNLIMITED,
    duration: 1,
    keyPrefix: KEY_PREFIX,
    tableName: TABLE,
  };
  let ready: Promise<FlexibleLimiter> | null = null;
  const open = async () => {
    const { RateLimiterPostgres } = await flexible();
    return new Promise<FlexibleLimiter>((resolve, reject) => {
      const limiter = new RateLimiterPostgres({ ...base, schemaName: schema }, (error?: Error) => {
        if (error) reject(error);
        else resolve(limiter as FlexibleLimiter);
      });
    });
  };
  return {
    async consume(key, window) {
      // After a failure the next call tries again to make the table.
      ready ??= patiently(open).catch((error: unknown) => {
        ready = null;
        throw error;
      });
      return consume(await withinTimeout(ready), key, window);
    },
  };
}

/**
 * If several processes run `CREATE TABLE IF NOT EXISTS` at the same moment, it fails for all but one, with different errors. A
 * moment later the table exists.
 */
async function patiently<T>(open: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open();
    } catch (error) {
      if (attempt === OPEN_ATTEMPTS || isPosternError(error)) throw error;
      await delay(20 * attempt);
    }
  }
}

const OPEN_ATTEMPTS = 4;

/** A client of `ioredis` or of `redis`. */
export type RateLimiterRedisClient = object;

/**
 * Counts in Redis. Limits are exact across processes.
 *
 * @throws PosternError `option_invalid`, `option_unknown`
 */
export function redisRateLimiter(options: { readonly client: RateLimiterRedisClient }): RateLimiter {
  const { client } = check(redisOptions, options, 'redisRateLimiter', 'option_invalid');
  const base = {
    storeClient: client,
    points: UNLIMITED,
    duration: 1,
    keyPrefix: KEY_PREFIX,
    useRedisPackage: unpolluted(client, 'defineCommand' as keyof typeof client) === undefined,
    // Otherwise calls would wait in a queue until Redis is back.
    rejectIfRedisNotReady: true,
  };
  let limiter: FlexibleLimiter | null = null;
  return {
    async consume(key, window) {
      const { RateLimiterRedis } = await flexible();
      limiter ??= new RateLimiterRedis(base) as FlexibleLimiter;
      return consume(limiter, key, window);
    },
  };
}

/**
 * The package, loaded with the first call. The memory limiter doesn't need it.
 *
 * @throws PosternError `driver_missing`
 */
async function flexible(): Promise<typeof import('rate-limiter-flexible')> {
  try {
    return await import('rate-limiter-flexible');
  } catch (error) {
    const { message } = error as Error;
    throw new PosternError(
      'driver_missing',
      `rate-limiter-flexible can not be loaded (${message.split('\n', 1)[0]}). Run: npm install rate-limiter-flexible`,
      { cause: error },
    );
  }
}

const anObject = <T>(value: unknown): value is T => typeof value === 'object' && value !== null;

const postgresOptions = z.strictObject({
  pool: z.custom<RateLimiterPool>(
    (value) => typeof (value as RateLimiterPool | null)?.query === 'function',
    'give a pool of pg',
  ),
  schema: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'give the name of a schema')
    .default('public'),
});

const redisOptions = z.strictObject({
  client: z.custom<RateLimiterRedisClient>(anObject, 'give a client of ioredis or redis'),
});

/** The package has windows of whole seconds. A window is rounded up, because a longer window never gives out more calls. */
async function consume(limiter: FlexibleLimiter, key: string, { points, duration }: RateWindow): Promise<Consumed> {
  const result = await withinTimeout(
    limiter.consume(key, 1, { customDuration: Math.max(1, Math.ceil(duration / 1000)) }),
  );
  if (typeof result?.consumedPoints !== 'number' || typeof result.msBeforeNext !== 'number') {
    throw new PosternError('unavailable', 'the answer of the rate limiter can not be read');
  }
  const remaining = Math.max(0, points - result.consumedPoints);
  return { allowed: result.consumedPoints <= points, remaining, resetIn: result.msBeforeNext };
}

/** How long a limiter's database may take, so that no call hangs. Milliseconds. */
const TIMEOUT = 2_000;

function withinTimeout<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = after(TIMEOUT, () => reject(new Error(`the rate limiter did not answer within ${TIMEOUT} ms`)));
    work.then(resolve, reject).finally(cancel);
  });
}
