import * as z from 'zod';
import { check } from '../../base/check.js';
import { duration } from '../../base/duration-input.js';
import type { Duration } from '../../domain/duration.js';
import { assertOneSource } from '../shared/source.js';
import { maxLag, type ReaderOptions } from '../sql/mirror/options.js';
import { DEFAULT_PREFIX, type MigrateMode, placeOptions } from '../sql/place.js';
import type { MysqlCallbackPool, MysqlPool } from './client.js';

/** Your own pool of `mysql2` or `mariadb`, which you close after the store; or the URI of a database (`mysql://…`). */
type Place =
  | { readonly pool: MysqlPool | MysqlCallbackPool; readonly uri?: undefined }
  | { readonly uri: string; readonly pool?: undefined };

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
  /**
   * A replica near this process, for the reads of verification; everything else goes to the primary. What this process made or heard
   * of is never undone by a replica that is behind: then the primary is read. The replica must commit in the order of the primary
   * (`slave_preserve_commit_order` of MySQL, the default of MariaDB).
   */
  readonly reader?: (Place & ReaderOptions) | undefined;
}

/** Options of `mysqlStore`. Unknown options are refused. */
export type MysqlStoreOptions = CommonOptions & Place;

/** A pool, or how to make one. */
export type Source = { readonly pool: MysqlPool } | { readonly pool: null; readonly uri: string };

export interface MysqlSettings {
  readonly source: Source;
  readonly prefix: string;
  readonly migrate: MigrateMode;
  /** Milliseconds, like `pollInterval`. */
  readonly timeout: number;
  readonly pollInterval: number;
  readonly reader: { readonly source: Source; readonly maxLag: number } | null;
}

const INPUT = 'mysqlStore';
const DEFAULT_TIMEOUT = 5_000;
const DEFAULT_POLL = 500;

const has = (value: unknown, name: string) => typeof (value as Record<string, unknown> | null)?.[name] === 'function';

const place = {
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
};

const schema = z.strictObject({
  ...place,
  prefix: placeOptions.prefix.default(DEFAULT_PREFIX),
  migrate: placeOptions.migrate,
  timeout: duration('5s', { least: '10ms', most: '10m' }).default(DEFAULT_TIMEOUT),
  pollInterval: duration('500ms', { least: '5ms', most: '1h' }).default(DEFAULT_POLL),
  reader: z.strictObject({ ...place, maxLag }).optional(),
});

/** @throws PosternError `option_invalid`, `option_unknown` */
export function readMysqlOptions(options: unknown): MysqlSettings {
  const { pool, uri, reader, ...rest } = check(schema, options, INPUT, 'option_invalid');
  const source = sourceOf({ pool, uri }, options as object, '');
  if (reader === undefined) return { ...rest, source, reader: null };
  const given = (options as MysqlStoreOptions).reader as object;
  return { ...rest, source, reader: { source: sourceOf(reader, given, 'reader.'), maxLag: reader.maxLag } };
}

function sourceOf(
  { pool, uri }: { pool?: MysqlPool | MysqlCallbackPool | undefined; uri?: string | undefined },
  given: object,
  path: '' | 'reader.',
): Source {
  assertOneSource(pool, uri, { input: INPUT, address: 'uri', given, path });
  if (pool === undefined) return { pool: null, uri: uri as string };
  return { pool: 'promise' in pool ? pool.promise() : pool };
}
