import { RedisDatabase, type RedisStore } from './database.js';
import { type RedisStoreOptions, readRedisOptions } from './options.js';

export type { MigrateOptions, Migration } from '../shared/migration.js';
export type { IoredisClient, NodeRedisClient, NodeRedisCluster, RedisClient } from './client.js';
export type { RedisStore } from './database.js';
export type { RedisStoreOptions } from './options.js';

/**
 * Tokens and endpoints in Redis 6 or later, or Valkey: one server, or a cluster. Each change is one script. It happens completely
 * or not at all, with its audit entry, and every other process is told at once.
 *
 * **Persistence** depends on Redis. With `appendonly yes` and `appendfsync always`, every acknowledged change survives. With
 * `everysec`, a failure of the machine loses the last second (a killed server loses nothing). Without `appendonly`, everything
 * since the last snapshot is lost, revocations too. A replica that takes over may lack the last changes. To prevent that, set
 * `min-replicas-to-write`, or use PostgreSQL. A `maxmemory-policy` of `allkeys-…` is refused.
 *
 * **Memory**: about 2 KB a token, 1.3 KB a change, and 250 bytes an entry besides its value. In a cluster everything is in one
 * slot (`{prefix}`), on one master. Moving that slot moves large keys.
 *
 * **Rights** of the user: keys `~{postern}:*`, channels `&{postern}:*`, `+@read +@write +@scripting +@pubsub +@connection
 * +time` and, to check the policy, `+info`.
 *
 * While Redis is away, calls reject after `timeout`. They work again when it is back. A call that was running then may have been
 * done or not. A command that still waits in a client's queue is refused after its caller was told. Your own `client` is not
 * closed with the store.
 *
 * @example
 * const store = redisStore({ url: 'redis://localhost:6379' });
 * const postern = createPostern({ store });
 * @throws PosternError `option_invalid`, `option_unknown`, `driver_missing`
 */
export function redisStore(options: RedisStoreOptions): RedisStore {
  return new RedisDatabase(readRedisOptions(options)).store();
}
