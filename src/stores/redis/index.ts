import { RedisDatabase, type RedisStore } from './database.js';
import { type RedisStoreOptions, readRedisOptions } from './options.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { IoredisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from './client.js';
export type { RedisStore } from './database.js';
export type { RedisStoreOptions } from './options.js';

/**
 * Tokens and endpoints in Redis 6 or later, or Valkey: one server, or a cluster. Each change is one script: it happens whole or
 * not at all, with its audit entry, and tells every other process at once.
 *
 * **What survives** is what Redis persists. `appendonly yes` with `appendfsync always`: everything that was acknowledged. With
 * `everysec`: all but the last second, if the machine fails (a killed server loses nothing). Without `appendonly`: all since
 * the last snapshot is lost, revocations too. A replica that takes over may not have the last changes: where that must
 * not be, set `min-replicas-to-write`, or use PostgreSQL. `maxmemory-policy` must not be one of `allkeys-…` (refused).
 *
 * **Memory**: about 2 KB a token, 1.3 KB a change, and 250 bytes an entry besides its value. In a
 * cluster all of it is in one slot (`{prefix}`), on one of its masters: moving that slot to another one moves large keys.
 *
 * **Rights** of the user: keys `~{postern}:*`, channels `&{postern}:*`, `+@read +@write +@scripting +@pubsub +@connection
 * +time` and, so that the policy can be looked at, `+info`.
 *
 * A call rejects after `timeout` when Redis is away, and works again when it is back. What was under way then may have been
 * done or not; what a client still has in its queue is refused once its caller has been told. A `client` that is handed in
 * stays the application's: it is not closed with the store.
 *
 * @example
 * const store = redisStore({ url: 'redis://localhost:6379' });
 * const postern = createPostern({ store });
 * @throws PosternError `option_invalid`, `option_unknown`, `driver_missing`
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  return new RedisDatabase(readRedisOptions(options)).store();
}
