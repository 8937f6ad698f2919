import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { createClient } from '@libsql/client';
import Libsql from 'libsql';
import { load } from './postern.mjs';
import { temporaryDirectory } from './sqlite-file.mjs';

const name = () => `bench_${randomBytes(4).toString('hex')}`;

/**
 * The clients that can be measured here, each with a store over it and with the bare way to do the same over the same connections:
 * `run` runs a prepared statement, `write` runs several in one transaction. Those of a server are there if its address is in the
 * environment.
 */
export async function databaseClients() {
  const folder = temporaryDirectory();
  const stores = await load('stores/sql');
  const clients = [libsql(join(folder, 'sync.db'), stores), libsqlClient(join(folder, 'client.db'), stores)];
  clients.push(await pglite(stores));
  const { POSTERN_BENCH_POSTGRES: postgres, POSTERN_BENCH_MYSQL: mysql } = process.env;
  if (postgres) clients.push(await pg(postgres), await postgresJs(postgres, stores));
  if (mysql) clients.push(await mysql2(mysql), await kyselyOnMysql(mysql, stores));
  return clients;
}

function libsql(filename, { fromSqlite, sqlStore }) {
  const db = new Libsql(filename);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON');
  const known = new Map();
  const prepared = (sql) => known.get(sql) ?? known.set(sql, db.prepare(sql)).get(sql);
  return {
    name: 'libsql',
    dialect: 'sqlite',
    store: sqlStore({ driver: fromSqlite(db), pollInterval: false }),
    define: async (sql) => db.exec(sql),
    run: async ({ sql, parameters }) => prepared(sql).all(...parameters),
    async write(statements) {
      db.exec('BEGIN IMMEDIATE');
      for (const { sql, parameters } of statements) prepared(sql).run(...parameters);
      db.exec('COMMIT');
    },
    close: async () => db.close(),
  };
}

function libsqlClient(filename, { fromLibsql, sqlStore }) {
  const client = createClient({ url: `file:${filename}` });
  const form = ({ sql, parameters }) => ({ sql, args: [...parameters] });
  return {
    name: '@libsql/client on a file',
    dialect: 'sqlite',
    store: sqlStore({ driver: fromLibsql(client), pollInterval: false }),
    define: (sql) => client.execute(sql),
    run: (statement) => client.execute(form(statement)),
    write: (statements) => client.batch(statements.map(form), 'write'),
    close: async () => client.close(),
  };
}

async function pglite({ fromPglite, sqlStore }) {
  const db = await PGlite.create();
  return {
    name: 'PGlite',
    dialect: 'postgres',
    store: sqlStore({ driver: fromPglite(db) }),
    define: (sql) => db.exec(sql),
    run: ({ sql, parameters }) => db.query(sql, [...parameters]),
    write: (statements) =>
      db.transaction(async (tx) => {
        for (const { sql, parameters } of statements) await tx.query(sql, [...parameters]);
      }),
    close: () => db.close(),
  };
}

async function pg(connectionString) {
  const [{ default: driver }, { postgresStore }] = await Promise.all([import('pg'), load('stores/postgres')]);
  const pool = new driver.Pool({ connectionString });
  const form = ({ sql, parameters }) => ({ name: sql.slice(0, 40), text: sql, values: parameters });
  return {
    name: 'PostgreSQL through pg (postgresStore)',
    dialect: 'postgres',
    store: postgresStore({ pool, schema: name() }),
    define: (sql) => pool.query(sql),
    run: (statement) => pool.query(form(statement)),
    async write(statements) {
      const client = await pool.connect();
      await client.query('BEGIN');
      for (const statement of statements) await client.query(form(statement));
      await client.query('COMMIT');
      client.release();
    },
    close: () => pool.end(),
  };
}

async function postgresJs(url, { fromPostgresJs, sqlStore }) {
  const { default: postgres } = await import('postgres');
  const sql = postgres(url, { onnotice: () => {} });
  // It takes a number for a text only as a text.
  const form = ({ sql: text, parameters }) => [
    text,
    parameters.map((value) => value?.toString() ?? null),
    { prepare: true },
  ];
  return {
    name: 'PostgreSQL through postgres.js',
    dialect: 'postgres',
    store: sqlStore({ driver: fromPostgresJs(sql), schema: name() }),
    define: (text) => sql.unsafe(text),
    run: (statement) => sql.unsafe(...form(statement)),
    write: (statements) =>
      sql.begin(async (tx) => {
        for (const statement of statements) await tx.unsafe(...form(statement));
      }),
    close: () => sql.end(),
  };
}

/** Bare `mysql2` over a pool. */
function bareMysql(pool) {
  return {
    dialect: 'mysql',
    define: (sql) => pool.query(sql),
    run: ({ sql, parameters }) => pool.execute(sql, parameters),
    async write(statements) {
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      for (const { sql, parameters } of statements) await connection.execute(sql, parameters);
      await connection.commit();
      connection.release();
    },
    close: () => pool.end(),
  };
}

async function mysql2(uri) {
  const [{ createPool }, { mysqlStore }] = await Promise.all([import('mysql2/promise'), load('stores/mysql')]);
  const pool = createPool({ uri });
  const store = mysqlStore({ pool, prefix: `${name()}_` });
  return { name: 'MariaDB through mysql2 (mysqlStore)', store, ...bareMysql(pool) };
}

async function kyselyOnMysql(uri, { fromKysely, sqlStore }) {
  const [{ createPool }, { Kysely, MysqlDialect }] = await Promise.all([import('mysql2'), import('kysely')]);
  const pool = createPool({ uri });
  const driver = fromKysely(new Kysely({ dialect: new MysqlDialect({ pool }) }), 'mysql');
  const store = sqlStore({ driver, pollInterval: false, prefix: `${name()}_` });
  return { name: 'MariaDB through Kysely over mysql2, against bare mysql2', store, ...bareMysql(pool.promise()) };
}
