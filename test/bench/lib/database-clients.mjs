import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createClient } from '@libsql/client';
import Libsql from 'libsql';
import { temporaryDirectory } from './sqlite-file.mjs';

const values = (parameters) => parameters.map((value) => (typeof value === 'number' ? String(value) : value));

/**
 * The clients that can be measured here, each with its driver and with the bare way to do the same: `read` runs a statement,
 * `write` runs several in one transaction. Those of a server are there if its address is in the environment.
 *
 * @param stores the entry `stores/sql`
 */
export async function databaseClients(stores) {
  const folder = temporaryDirectory();
  const clients = [libsql(join(folder, 'sync.db'), stores), libsqlClient(join(folder, 'client.db'), stores)];
  clients.push(await pglite(stores));
  const { POSTERN_BENCH_POSTGRES: postgres, POSTERN_BENCH_MYSQL: mysql } = process.env;
  if (postgres) clients.push(await postgresJs(postgres, stores));
  if (mysql) clients.push(await kyselyOnMysql(mysql, stores));
  return clients;
}

function libsql(filename, { fromSqlite }) {
  const db = new Libsql(filename);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON');
  return {
    name: 'libsql',
    driver: fromSqlite(db),
    read: async ({ sql, parameters }) => db.prepare(sql).all(...parameters),
    async write(statements) {
      db.exec('BEGIN IMMEDIATE');
      for (const { sql, parameters } of statements) db.prepare(sql).run(...parameters);
      db.exec('COMMIT');
    },
    close: async () => db.close(),
  };
}

function libsqlClient(filename, { fromLibsql }) {
  const client = createClient({ url: `file:${filename}` });
  const form = ({ sql, parameters }) => ({ sql, args: [...parameters] });
  return {
    name: '@libsql/client on a file',
    driver: fromLibsql(client),
    read: (statement) => client.execute(form(statement)),
    write: (statements) => client.batch(statements.map(form), 'write'),
    close: async () => client.close(),
  };
}

async function pglite({ fromPglite }) {
  const db = await PGlite.create();
  return {
    name: 'PGlite',
    driver: fromPglite(db),
    read: ({ sql, parameters }) => db.query(sql, [...parameters]),
    write: (statements) =>
      db.transaction(async (tx) => {
        for (const { sql, parameters } of statements) await tx.query(sql, [...parameters]);
      }),
    close: () => db.close(),
  };
}

async function postgresJs(url, { fromPostgresJs }) {
  const { default: postgres } = await import('postgres');
  const sql = postgres(url, { onnotice: () => {} });
  return {
    name: 'postgres.js',
    driver: fromPostgresJs(sql),
    place: { schema: `bench_${randomBytes(4).toString('hex')}` },
    read: (statement) => sql.unsafe(statement.sql, values(statement.parameters), { prepare: true }),
    write: (statements) =>
      sql.begin(async (tx) => {
        for (const statement of statements) await tx.unsafe(statement.sql, values(statement.parameters));
      }),
    close: () => sql.end(),
  };
}

async function kyselyOnMysql(uri, { fromKysely }) {
  const [{ createPool }, { Kysely, MysqlDialect }] = await Promise.all([import('mysql2'), import('kysely')]);
  const pool = createPool({ uri });
  const bare = pool.promise();
  return {
    name: 'Kysely over mysql2, against bare mysql2',
    driver: fromKysely(new Kysely({ dialect: new MysqlDialect({ pool }) }), 'mysql'),
    place: { prefix: `b${randomBytes(4).toString('hex')}_` },
    read: ({ sql, parameters }) => bare.query(sql, [...parameters]),
    async write(statements) {
      const connection = await bare.getConnection();
      await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED');
      await connection.beginTransaction();
      for (const { sql, parameters } of statements) await connection.query(sql, [...parameters]);
      await connection.commit();
      connection.release();
    },
    close: () => bare.end(),
  };
}
