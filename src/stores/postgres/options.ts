import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { assertShort, DEFAULT_SCHEMA, type MigrateMode, placeOptions } from '../sql/place.js';
import type { PgConnection, PgPool } from './client.js';

interface CommonOptions {
  /**
   * The schema of the tables, apart from the application's own. It is made if missing. `^[a-z_][a-z0-9_]{0,49}$`. Default
   * `'postern'`.
   */
  readonly schema?: string | undefined;
  /** The beginning of all names in the schema. `^[a-z][a-z0-9_]{0,29}$`, or empty. Default `''`. */
  readonly prefix?: string | undefined;
  /**
   * `'verify'`: makes no tables. It compares what is there, and refuses to start on a difference (`store_invalid`, with the
   * differences). `postern schema --sql` prints the statements that make the tables. Default `'auto'`: the first call makes them.
   */
  readonly migrate?: 'auto' | 'verify' | undefined;
  /**
   * The feed's own connection, open while someone listens: a connection string; or a function that makes a `Client` of `pg`, not
   * connected; or `false` for no feed (then only `cache.ttl` limits how long other processes see the old state). Default: the
   * `connectionString`, or one connection kept out of the `pool`, which then needs at least two.
   *
   * LISTEN does not work through a pooler that gives each transaction another connection (pgbouncer with
   * `pool_mode = transaction`). If `pool` or `connectionString` uses such a pooler, name the server itself here.
   */
  readonly listen?: string | (() => PgConnection) | false | undefined;
  /** How long one call may take before it rejects, including the wait for a connection. Default `'5s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * The time between two signs of life of the feed and of this process. A feed that dies silently is noticed after twice this
   * time. `confirm` waits for a killed process for about three times this. Default `'3s'`.
   */
  readonly heartbeat?: Duration | undefined;
  /**
   * Whether look-ups are prepared statements. Default `true`; `false` if `listen` names another way to the server, because that
   * suggests a pooler, which may give each transaction another connection.
   */
  readonly prepare?: boolean | undefined;
}

/** Your own pool, which you close after the store; or a connection string. */
export type PostgresStoreOptions = CommonOptions &
  (
    | { readonly pool: PgPool; readonly connectionString?: undefined }
    | { readonly connectionString: string; readonly pool?: undefined }
  );

export interface PostgresSettings {
  readonly source: { readonly pool: PgPool } | { readonly pool: null; readonly connectionString: string };
  readonly schema: string;
  readonly prefix: string;
  readonly migrate: MigrateMode;
  /** `null`: by `source`. */
  readonly listen: string | (() => PgConnection) | false | null;
  /** Milliseconds, like `heartbeat`. */
  readonly timeout: number;
  readonly heartbeat: number;
  readonly prepare: boolean;
}

const DEFAULT_TIMEOUT = 5_000;
const DEFAULT_HEARTBEAT = 3_000;

const schema = z.strictObject({
  pool: z
    .custom<PgPool>(
      (value) => ['connect', 'on'].every((name) => typeof (value as Record<string, unknown>)?.[name] === 'function'),
      'give a Pool of pg',
    )
    .optional(),
  connectionString: z.string().min(1, 'is empty').optional(),
  schema: placeOptions.schema.default(DEFAULT_SCHEMA),
  prefix: placeOptions.prefix.default(''),
  migrate: placeOptions.migrate,
  listen: z
    .union(
      [z.string().min(1), z.literal(false), z.custom<() => PgConnection>((value) => typeof value === 'function')],
      'give a connection string, a function that makes a Client of pg, or false',
    )
    .optional(),
  timeout: duration('5s', { least: '10ms', most: '10m' }).default(DEFAULT_TIMEOUT),
  heartbeat: duration('3s', { least: '50ms', most: '1m' }).default(DEFAULT_HEARTBEAT),
  prepare: z.boolean('give true or false').optional(),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readPostgresOptions(options: unknown): PostgresSettings {
  const given = check(schema, options, 'postgresStore', 'option_invalid');
  const { pool, connectionString, listen = null } = given;
  if ((pool === undefined) === (connectionString === undefined)) {
    const isUnset = connectionString === undefined && Object.hasOwn(options as object, 'connectionString');
    throw isUnset
      ? invalid('connectionString', 'is undefined: set the variable that it comes from')
      : invalid('pool', 'give either a pool or a connectionString');
  }
  assertShort(given.schema, given.prefix, 'postgresStore');
  if (pool?.options?.max === 1 && listen === null) {
    throw invalid(
      'pool',
      'has one connection (max: 1), which the feed would keep: give it more, or another one in listen',
    );
  }
  return {
    source: pool === undefined ? { pool: null, connectionString: connectionString as string } : { pool },
    schema: given.schema,
    prefix: given.prefix,
    migrate: given.migrate,
    listen,
    timeout: given.timeout,
    heartbeat: given.heartbeat,
    prepare: given.prepare ?? (listen === null || listen === false),
  };
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: 'postgresStore' });
}
