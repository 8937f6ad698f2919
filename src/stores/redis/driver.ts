import { createRequire } from 'node:module';
import { PosternError } from '../../domain/errors.js';
import { type ClientPort, kindOf, type NodeRedisClient, type NodeRedisCluster, type RedisClient } from './client.js';
import { IoredisPort } from './ioredis-port.js';
import { NodeRedisPort } from './node-redis-port.js';

/** Loads a package: `require`, or a test's own function. */
export type Load = (name: string) => unknown;

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
export function clientFor(url: string, timeout: number, load: Load = createRequire(import.meta.url)): ClientPort {
  const ioredis = loadPackage('ioredis', load) as { readonly Redis?: unknown } | null;
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
  const redis = loadPackage('redis', load) as { createClient(options: object): NodeRedisClient } | null;
  if (redis !== null) {
    return new NodeRedisPort(
      redis.createClient({ url, socket: { connectTimeout: timeout, reconnectStrategy: pause } }),
    );
  }
  throw new PosternError(
    'driver_missing',
    'there is no Redis client here. Run: npm install ioredis (or: npm install redis), or give your own as client',
  );
}

function pause(attempt: number): number {
  return Math.min(50 * (attempt + 1), LONGEST_PAUSE);
}

/** `null` if it is not installed. */
function loadPackage(name: string, load: Load): unknown {
  try {
    return load(name);
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message: string };
    if (code === 'MODULE_NOT_FOUND' && message.includes(`'${name}'`)) return null;
    throw new PosternError(
      'driver_missing',
      `the Redis client ${name} can not be loaded on this machine (${message.split('\n', 1)[0]}). Run again: npm install ${name}`,
      { cause: error },
    );
  }
}
