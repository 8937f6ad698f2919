import { execFileSync } from 'node:child_process';
import { mysqlStore } from 'postern/stores/mysql';
import { postgresStore } from 'postern/stores/postgres';
import { fromSqlite, type SqlStore, sqlStore } from 'postern/stores/sql';
import { expect } from 'vitest';
import { runHere } from '../cli/host.js';
import { useMariadb } from '../support/mariadb-server.js';
import { usePostgres } from '../support/services.js';
import { aDatabase as aMariadb, aPrefix } from './mariadb-server.js';
import { aSchema, ask as askPostgres } from './postgres-server.js';
import { Libsql, testDirectory } from './sqlite-files.js';

export const postgres = await usePostgres();
export const mariadb = await useMariadb();
export const { aFile, beside } = testDirectory();

/** A place for tables in a database, and the ways to it. */
export interface Place {
  /** The options of the command. */
  readonly flags: readonly string[];
  /** The name of a table in statements. */
  readonly table: (name: string) => string;
  /** Runs what the command has printed. */
  run(script: string): Promise<void>;
  open(migrate: 'auto' | 'verify'): SqlStore;
}

export const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'PostgreSQL, with a schema and a prefix': async () => {
    const [schema, prefix] = [aSchema(), 'auth_'];
    return {
      flags: ['--schema', schema, '--prefix', prefix],
      table: (name) => `${schema}.${prefix}${name}`,
      run: async (script) => void (await askPostgres(postgres.url(), script)),
      open: (migrate) => postgresStore({ connectionString: postgres.url(), schema, prefix, migrate }),
    };
  },
  MariaDB: async () => {
    const [uri, prefix] = [await aMariadb(mariadb), aPrefix()];
    const { port, pathname } = new URL(uri);
    const client = ['--protocol=tcp', '--host=127.0.0.1', `--port=${port}`, '--user=root', pathname.slice(1)];
    return {
      flags: ['--dialect', 'mysql', '--prefix', prefix],
      table: (name) => prefix + name,
      run: async (input) => void execFileSync('mariadb', client, { input, stdio: 'pipe' }),
      open: (migrate) => mysqlStore({ uri, prefix, migrate }),
    };
  },
  'SQLite, without a prefix': async () => {
    const database = new Libsql(aFile());
    return {
      flags: ['--dialect', 'sqlite', '--prefix', ''],
      table: (name) => name,
      run: async (script) => void database.exec(script),
      open: (migrate) => sqlStore({ driver: fromSqlite(database), prefix: '', migrate }),
    };
  },
};

export async function printed(place: Place): Promise<string> {
  const { code, stdout, stderr } = await runHere(['schema', '--sql', ...place.flags]);
  expect([code, stderr]).toEqual([0, '']);
  return stdout;
}

export const refusal = (store: SqlStore) => store.migrate().catch((error) => `${error.code}: ${error.message}`);

/** The error of a store that only verifies, after a statement has changed the tables of the command. */
export async function refusalAfter(open: (() => Promise<Place>) | undefined, statement: (place: Place) => string) {
  const place = await (open as () => Promise<Place>)();
  await place.run(await printed(place));
  await place.run(statement(place));
  const store = place.open('verify');
  const said = await refusal(store);
  await store.close();
  return said;
}
