import { z } from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { hasKeyPrefix, kindOf, type RedisClient } from './client.js';

interface CommonOptions {
  /** What the names of all keys and channels begin with, in braces: `{postern}:…`. `^[A-Za-z0-9._:-]{1,64}$`. Default `'postern'`. */
  readonly prefix?: string | undefined;
  /** How long one call may take, the wait for a connection included, before it rejects. Default `'2s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * How often the feed proves that it is alive, and this process that it is. A feed that died in silence is noticed after
   * twice this; a process that was killed is waited for (`confirm`) for three times this. Default `'2s'`.
   */
  readonly heartbeat?: Duration | undefined;
}

/** A client of the application's own, which it closes itself after the store; or where to connect to. */
export type RedisStoreOptions = CommonOptions &
  (
    | { readonly client: RedisClient; readonly url?: undefined }
    | { readonly url: string | URL; readonly client?: undefined }
  );

export interface RedisSettings {
  readonly source: { readonly client: RedisClient } | { readonly client: null; readonly url: string };
  readonly prefix: string;
  /** Milliseconds, like `heartbeat`. */
  readonly timeout: number;
  readonly heartbeat: number;
}

const schema = z.strictObject({
  client: z
    .custom<RedisClient>(
      (value) => kindOf(value) !== null,
      'give a Redis or Cluster of ioredis, or what createClient or createCluster of redis made',
    )
    .optional(),
  url: z.union([z.string(), z.instanceof(URL)], 'give a URL such as redis://localhost:6379').optional(),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'give 1 to 64 letters, digits, and any of . _ : -')
    .default('postern'),
  timeout: duration('2s', { least: '10ms', most: '10m' }).default(2_000),
  heartbeat: duration('2s', { least: '50ms', most: '1m' }).default(2_000),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readRedisOptions(options: unknown): RedisSettings {
  const { client, url, prefix, timeout, heartbeat } = check(schema, options, 'redisStore', 'option_invalid');
  if ((client === undefined) === (url === undefined)) {
    throw new PosternError('option_invalid', 'give either a client or a url', { input: 'redisStore' });
  }
  if (client !== undefined && hasKeyPrefix(client)) {
    throw invalid(
      'client',
      'puts a keyPrefix before keys, and none before channels: leave it out, and use the prefix option',
    );
  }
  return {
    source: client === undefined ? { client: null, url: urlOf(url as string | URL) } : { client },
    prefix,
    timeout: timeout,
    heartbeat: heartbeat,
  };
}

/** It may hold a password, so no message shows it. */
function urlOf(url: string | URL): string {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !['redis:', 'rediss:'].includes(parsed.protocol)) {
    throw invalid('url', 'is no Redis URL: give one such as redis://localhost:6379, or rediss://… for TLS');
  }
  return parsed.href;
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'redisStore' });
}
