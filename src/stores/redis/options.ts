import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { hasKeyPrefix, kindOf, type RedisClient } from './client.js';

interface CommonOptions {
  /** The beginning of all keys and channels, in braces: `{postern}:…`. `^[A-Za-z0-9._:-]{1,64}$`. Default `'postern'`. */
  readonly prefix?: string | undefined;
  /** How long one call may take before it rejects, including the wait for a connection. Default `'2s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * The time between two signs of life of the feed and of this process. A feed that dies silently is noticed after twice this
   * time. `confirm` waits for a killed process for three times this. Default `'2s'`.
   */
  readonly heartbeat?: Duration | undefined;
}

/** Your own client, which you close after the store; or a URL. */
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
      'give a Redis or Cluster of ioredis, or a client of redis made by createClient or createCluster',
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
    throw invalid('client', 'has a keyPrefix, which is not used for channels: leave it out, and use the prefix option');
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
    throw invalid('url', 'is not a Redis URL: give one such as redis://localhost:6379, or rediss://… for TLS');
  }
  return parsed.href;
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'redisStore' });
}
