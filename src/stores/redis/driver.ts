import { type FindDriver, findDriver, noDriver } from '../shared/driver.js';
import { type ClientPort, kindOf, type NodeRedisClient, type NodeRedisCluster, type RedisClient } from './client.js';
import { IoredisPort } from './ioredis-port.js';
import { NodeRedisPort } from './node-redis-port.js';

/** The longest pause between two attempts to connect. Milliseconds. */
const LONGEST_PAUSE = 1_000;

export function portOf(client: RedisClient): ClientPort {
  return kindOf(client) === 'ioredis'
    ? new IoredisPort(client as ConstructorParameters<typeof IoredisPort>[0])
    : new NodeRedisPort(client as NodeRedisClient | NodeRedisCluster);
}

/**
 * A client for a URL: of `ioredis` if that is installed, else of `redis`. It connects with its first command.
 *
 * @throws PosternError `driver_missing`
 */
export function clientFor(url: string, timeout: number, find: FindDriver = findDriver): ClientPort {
  const ioredis = find('ioredis') as { readonly Redis?: unknown } | null;
  if (ioredis !== null) {
    const Redis = ioredis.Redis as new (url: string, options: object) => ConstructorParameters<typeof IoredisPort>[0];
    return new IoredisPort(
      new Redis(url, {
        lazyConnect: true,
        connectTimeout: timeout,
        // Waiting commands are refused at the next failure, instead of piling up.
        maxRetriesPerRequest: 1,
        retryStrategy: pause,
      }),
    );
  }
  const redis = find('redis') as { createClient(options: object): NodeRedisClient } | null;
  if (redis !== null) {
    return new NodeRedisPort(
      redis.createClient({ url, socket: { connectTimeout: timeout, reconnectStrategy: pause } }),
    );
  }
  throw noDriver(['ioredis', 'redis'], 'redisStore({ client })');
}

function pause(attempt: number): number {
  return Math.min(50 * (attempt + 1), LONGEST_PAUSE);
}
