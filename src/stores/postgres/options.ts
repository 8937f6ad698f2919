import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { PosternError } from '../../domain/errors.js';
import { assertOneSource } from '../shared/source.js';
import { maxLag, NEEDS_FEED, type ReaderOptions } from '../sql/mirror/options.js';
import { assertShort, DEFAULT_SCHEMA, type MigrateMode, placeOptions } from '../sql/place.js';
import type { PgConnection, PgPool } from './client.js';

/** Your own pool, which you close after the store; or a connection string. */
type Place =
  | { readonly pool: PgPool; readonly connectionString?: undefined }
  | { readonly connectionString: string; readonly pool?: undefined };

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
  /**
   * A replica near this process, for the reads of verification; everything else goes to the primary. What this process made or heard
   * of is never undone by a replica that is behind: then the primary is read. It needs the feed.
   */
  readonly reader?: (Place & ReaderOptions) | undefined;
}

/** Options of `postgresStore`. Unknown options are refused. */
export type PostgresStoreOptions = CommonOptions & Place;

/** A pool, or how to make one. */
export type Source = { readonly pool: PgPool } | { readonly pool: null; readonly connectionString: string };

export interface PostgresSettings {
  readonly source: Source;
  readonly schema: string;
  readonly prefix: string;
  readonly migrate: MigrateMode;
  /** `null`: by `source`. */
  readonly listen: string | (() => PgConnection) | false | null;
  /** Milliseconds, like `heartbeat`. */
  readonly timeout: number;
  readonly heartbeat: number;
  readonly prepare: boolean;
  readonly reader: { readonly source: Source; readonly maxLag: number } | null;
}

const INPUT = 'postgresStore';
const DEFAULT_TIMEOUT = 5_000;
const DEFAULT_HEARTBEAT = 3_000;

const place = {
  pool: z
    .custom<PgPool>(
      (value) => ['connect', 'on'].every((name) => typeof (value as Record<string, unknown>)?.[name] === 'function'),
      'give a Pool of pg',
    )
    .optional(),
  connectionString: z.string().min(1, 'is empty').optional(),
};

const schema = z.strictObject({
  ...place,
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
  reader: z.strictObject({ ...place, maxLag }).optional(),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readPostgresOptions(options: unknown): PostgresSettings {
  const given = check(schema, options, INPUT, 'option_invalid');
  const { pool, listen = null, reader } = given;
  const source = sourceOf(given, options as object, '');
  assertShort(given.schema, given.prefix, INPUT);
  if (pool?.options?.max === 1 && listen === null) {
    throw invalid(
      'pool',
      'has one connection (max: 1), which the feed would keep: give it more, or another one in listen',
    );
  }
  if (reader !== undefined && listen === false) throw invalid('reader', NEEDS_FEED);
  return {
    source,
    schema: given.schema,
    prefix: given.prefix,
    migrate: given.migrate,
    listen,
    timeout: given.timeout,
    heartbeat: given.heartbeat,
    prepare: given.prepare ?? (listen === null || listen === false),
    reader: reader
      ? {
          source: sourceOf(reader, (options as PostgresStoreOptions).reader as object, 'reader.'),
          maxLag: reader.maxLag,
        }
      : null,
  };
}

function sourceOf(
  { pool, connectionString }: { pool?: PgPool | undefined; connectionString?: string | undefined },
  given: object,
  path: '' | 'reader.',
): Source {
  assertOneSource(pool, connectionString, { input: INPUT, address: 'connectionString', given, path });
  return pool === undefined ? { pool: null, connectionString: connectionString as string } : { pool };
}

function invalid(path: string, problem: string): PosternError {
  return new PosternError('option_invalid', problem, { path, input: INPUT });
}
