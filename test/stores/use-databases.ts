import { useMariadb } from '../support/mariadb-server.js';
import { useRedis } from '../support/redis-server.js';
import { usePostgres } from '../support/services.js';
import { type Database, inPostgres, inRedis } from './databases.js';
import { aDatabase } from './mariadb-server.js';
import { testDirectory } from './sqlite-files.js';

/** An empty store of each kind that processes can share, in servers of the calling test file's own. */
export async function useDatabases() {
  const postgres = await usePostgres();
  const mariadb = await useMariadb();
  const redis = await useRedis(['--save', '']);
  const { aFile } = testDirectory();
  const make = {
    sqlite: (): Database => ({ kind: 'sqlite', filename: aFile() }),
    postgres: () => inPostgres(postgres),
    mariadb: async (): Promise<Database> => ({ kind: 'mariadb', uri: await aDatabase(mariadb), pollInterval: '20ms' }),
    redis: () => inRedis(redis),
  };
  const kinds = ['sqlite', 'postgres', 'mariadb', 'redis'] as const;
  return kinds.map((kind) => ({ kind, aDatabase: async () => make[kind]() }));
}
