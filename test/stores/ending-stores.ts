import { randomUUID } from 'node:crypto';
import type { Change, ChangeType, Store } from 'postern/store';
import { mysqlStore } from 'postern/stores/mysql';
import { postgresStore } from 'postern/stores/postgres';
import { redisStore } from 'postern/stores/redis';
import { sqliteStore } from 'postern/stores/sqlite';
import { aChange } from '../../src/testing/store-cases/case.js';

/** Where two processes find the same store. */
export type Database =
  | { readonly kind: 'postgres'; readonly connectionString: string; readonly schema: string }
  | { readonly kind: 'mariadb'; readonly uri: string }
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'sqlite'; readonly filename: string };

export function openStore({ kind, ...options }: Database): Store {
  if (kind === 'postgres') return postgresStore(options as Parameters<typeof postgresStore>[0]);
  if (kind === 'mariadb') return mysqlStore(options as Parameters<typeof mysqlStore>[0]);
  if (kind === 'redis') return redisStore(options as Parameters<typeof redisStore>[0]);
  return sqliteStore(options as Parameters<typeof sqliteStore>[0]);
}

/** With an id that no other process gives. */
export function aNewChange(type: ChangeType, subject: string, fields: Partial<Change> = {}): Change {
  return aChange(type, subject, 'acme', { id: randomUUID().replaceAll('-', '').slice(0, 22), ...fields });
}
