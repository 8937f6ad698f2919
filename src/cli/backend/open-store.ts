import { existsSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { unpolluted } from '../../base/check.js';
import type { Store } from '../../ports/store.js';
import type { MigrateOptions, Migration } from '../../stores/shared/migration.js';
import type { Config } from '../config/load-config.js';
import { CliError, usageError } from '../failure.js';

/** A store. Those of this package make their own tables. */
export type MigratingStore = Store & { migrate?(options?: MigrateOptions): Promise<Migration> };

/** The address of the store that the application's configuration names. */
export const STORE_OF_CONFIG = 'config';

export interface OpenedStore {
  readonly store: MigratingStore;
  /** Its address, without a password. */
  readonly place: string;
}

export interface StoreAddress {
  /** `sqlite:path`, `postgres://…`, `mysql://…`, `redis://…`, or `config`. */
  readonly url: string;
  /** PostgreSQL's schema, or the prefix of the tables of SQLite and MySQL, or of Redis' keys. Default: the store's own. */
  readonly namespace?: string | undefined;
  /** Whether a missing SQLite file is made. */
  readonly make: boolean;
  /** The application's configuration, for the address `config`. */
  readonly config: Config | null;
}

/**
 * Opens a store by its address. Only its own client is loaded.
 *
 * @throws CliError (usage) for an address of unknown form; `PosternError` `driver_missing`, `option_invalid`
 */
export async function openStore({ url, namespace, make, config }: StoreAddress): Promise<OpenedStore> {
  if (url === STORE_OF_CONFIG) return storeOf(config, namespace);
  const scheme = /^([a-z]+):/i.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'sqlite': {
      const { sqliteStore } = await import('../../stores/sqlite/index.js');
      const filename = pathOf(url);
      if (!make && !existsSync(filename)) {
        throw new CliError(
          `there is no database ${filename}. Correct its path, or make one with postern migrate --store sqlite:${filename}`,
        );
      }
      const prefix = namespace === undefined ? {} : { prefix: namespace };
      return { store: sqliteStore({ filename, ...prefix }), place: filename };
    }
    case 'postgres':
    case 'postgresql': {
      const { postgresStore } = await import('../../stores/postgres/index.js');
      const schema = namespace === undefined ? {} : { schema: namespace };
      return { store: postgresStore({ connectionString: url, ...schema }), place: withoutSecret(url) };
    }
    case 'mysql':
    case 'mariadb': {
      const { mysqlStore } = await import('../../stores/mysql/index.js');
      const prefix = namespace === undefined ? {} : { prefix: namespace };
      return { store: mysqlStore({ uri: url, ...prefix }), place: withoutSecret(url) };
    }
    case 'redis':
    case 'rediss': {
      const { redisStore } = await import('../../stores/redis/index.js');
      const prefix = namespace === undefined ? {} : { prefix: namespace };
      return { store: redisStore({ url, ...prefix }), place: withoutSecret(url) };
    }
    default:
      throw usageError(
        '--store names no known kind of store. Use sqlite:<path>, postgres://<host>/<database>, mysql://<host>/<database>, redis://<host>, or config for the one in postern.config',
      );
  }
}

function storeOf(config: Config | null, namespace: string | undefined): OpenedStore {
  if (config === null) {
    throw usageError('--store config: there is no postern.config here or above. Name its file with --config');
  }
  const store = unpolluted(config.options, 'store');
  if (store === undefined)
    throw usageError(`--store config: ${config.file} names no store. Add one, or give its address`);
  if (namespace !== undefined) throw usageError('--namespace: the store in the configuration has its own');
  return { store, place: `the store of ${config.file}` };
}

/** `sqlite:./a.db`, `sqlite:/a.db`, `sqlite:///a.db` and `sqlite:C:\a.db` all name a path. */
function pathOf(url: string): string {
  const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
  if (path === '') throw usageError('--store sqlite: names no file. Use sqlite:<path>');
  return isAbsolute(path) ? path : resolve(path);
}

function withoutSecret(url: string): string {
  try {
    const { protocol, host, pathname } = new URL(url);
    return `${protocol}//${host}${pathname}`;
  } catch {
    return `${url.split(':', 1)[0]}://…`;
  }
}
