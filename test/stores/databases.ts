import { randomUUID } from 'node:crypto';
import type { Change, ChangeType, Store } from 'postern/store';
import { mysqlStore } from 'postern/stores/mysql';
import { postgresStore } from 'postern/stores/postgres';
import { redisStore } from 'postern/stores/redis';
import { sqliteStore } from 'postern/stores/sqlite';
import { aChange } from '../../src/testing/store-cases/case.js';
import { aSchema } from './postgres-server.js';

/** Where several processes find the same store. */
export type Database =
  | {
      readonly kind: 'postgres';
      readonly connectionString: string;
      readonly schema: string;
      readonly heartbeat: '300ms';
    }
  | { readonly kind: 'mariadb'; readonly uri: string; readonly pollInterval: '20ms' }
  | { readonly kind: 'redis'; readonly url: string; readonly prefix: string; readonly heartbeat: '300ms' }
  | { readonly kind: 'sqlite'; readonly filename: string };

export function inPostgres(server: { url(): string }, schema = aSchema()): Database {
  return { kind: 'postgres', connectionString: server.url(), schema, heartbeat: '300ms' };
}

export function inRedis({ url }: { readonly url: string }): Database {
  return { kind: 'redis', url, prefix: randomUUID(), heartbeat: '300ms' };
}

export function openStore(database: Database): Store {
  switch (database.kind) {
    case 'postgres': {
      const { kind: _, ...options } = database;
      return postgresStore(options);
    }
    case 'mariadb': {
      const { kind: _, ...options } = database;
      return mysqlStore(options);
    }
    case 'redis': {
      const { kind: _, ...options } = database;
      return redisStore(options);
    }
    case 'sqlite':
      return sqliteStore({ filename: database.filename });
  }
}

/** With an id that no other process gives. */
export function aNewChange(type: ChangeType, subject: string, fields: Partial<Change> = {}): Change {
  return aChange(type, subject, 'acme', { id: randomUUID().replaceAll('-', '').slice(0, 22), ...fields });
}
