import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { DEFAULT_PREFIX, type MigrateMode, placeOptions } from '../sql/place.js';
import type { MysqlCallbackPool, MysqlPool } from './client.js';

interface CommonOptions {
  /** The beginning of the names of all tables. `^[a-z][a-z0-9_]{0,29}$`, or empty. Default `'postern_'`. */
  readonly prefix?: string | undefined;
  /**
   * `'verify'`: makes no tables. It compares what is there, and refuses to start on a difference (`store_invalid`, with the
   * differences). `postern schema --sql` prints the statements that make the tables. Default `'auto'`: the first call makes them.
   */
  readonly migrate?: 'auto' | 'verify' | undefined;
  /** How long one call may take before it rejects, including the wait for a connection. Default `'5s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * The time between two looks for changes of other processes. Their revocations are seen here after this time at the latest.
   * Default `'500ms'`.
   */
  readonly pollInterval?: Duration | undefined;
}

/** Your own pool of `mysql2` or `mariadb`, which you close after the store; or the URI of a database (`mysql://…`). */
export type MysqlStoreOptions = CommonOptions &
  (
    | { readonly pool: MysqlPool | MysqlCallbackPool; readonly uri?: undefined }
    | { readonly uri: string; readonly pool?: undefined }
  );

export interface MysqlSettings {
  readonly source: { readonly pool: MysqlPool } | { readonly pool: null; readonly uri: string };
  readonly prefix: string;
  readonly migrate: MigrateMode;
  /** Milliseconds, like `pollInterval`. */
  readonly timeout: number;
  readonly pollInterval: number;
}

const DEFAULT_TIMEOUT = 5_000;
const DEFAULT_POLL = 500;

const has = (value: unknown, name: string) => typeof (value as Record<string, unknown> | null)?.[name] === 'function';

const schema = z.strictObject({
  pool: z
    .custom<MysqlPool | MysqlCallbackPool>(
      (value) => has(value, 'getConnection') || has(value, 'promise'),
      'give a pool of mysql2 or mariadb',
    )
    .optional(),
  uri: z
    .string()
    .regex(/^(mysql|mariadb):\/\//, 'give a URI: mysql://user:password@host:3306/database')
    .optional(),
  prefix: placeOptions.prefix.default(DEFAULT_PREFIX),
  migrate: placeOptions.migrate,
  timeout: duration('5s', { least: '10ms', most: '10m' }).default(DEFAULT_TIMEOUT),
  pollInterval: duration('500ms', { least: '5ms', most: '1h' }).default(DEFAULT_POLL),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readMysqlOptions(options: unknown): MysqlSettings {
  const input = 'mysqlStore';
  const { pool, uri, ...rest } = check(schema, options, input, 'option_invalid');
  if ((pool === undefined) === (uri === undefined)) {
    const isUnset = uri === undefined && Object.hasOwn(options as object, 'uri');
    throw isUnset
      ? new PosternError('option_invalid', 'is undefined: set the variable that it comes from', { path: 'uri', input })
      : new PosternError('option_invalid', 'give either a pool or a uri', { path: 'pool', input });
  }
  if (pool === undefined) return { ...rest, source: { pool: null, uri: uri as string } };
  return { ...rest, source: { pool: 'promise' in pool ? pool.promise() : pool } };
}
