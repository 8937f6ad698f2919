import { createClient, type Transaction } from '@libsql/client';
import { type SQL, sql as tag } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import { SQLiteSyncDialect } from 'drizzle-orm/sqlite-core';
import { fromDrizzle, fromSqlite, sqlStore } from 'postern/stores/sql';
import { type SqliteDatabase, sqliteStore } from 'postern/stores/sqlite';
import { createTestPostern } from 'postern/testing';
import { describe, expect, test } from 'vitest';
import { all } from '../support/lives.js';
import { refusal } from '../support/outcomes.js';
import { Libsql, testDirectory } from './sqlite-files.js';
import { testWithin } from './within-cases.js';

const { aFile } = testDirectory();
const INSERT = 'INSERT INTO orders (id) VALUES (?)';

/** A file of postern's that has a table of the application, too. */
async function aShop() {
  const file = aFile();
  const store = sqliteStore({ filename: file });
  await store.migrate();
  await store.close();
  const database = new Libsql(file);
  database.exec('CREATE TABLE orders (id TEXT PRIMARY KEY)');
  const orders = async () => (database.prepare('SELECT id FROM orders').all() as { id: string }[]).map(({ id }) => id);
  return { file, database, orders, open: () => sqliteStore({ filename: file, pollInterval: '20ms' }) };
}

const onDatabase = (database: SqliteDatabase) => async (work: (tx: object) => Promise<void>) => {
  database.exec('BEGIN IMMEDIATE');
  try {
    await work(database);
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
};

describe('a file of SQLite', async () => {
  const { file, database, ...shop } = await aShop();
  testWithin('a connection of its own, of libsql', {
    ...shop,
    transaction: onDatabase(database),
    order: async (tx, id) => (tx as SqliteDatabase).prepare(INSERT).run(id),
  });

  const client = createClient({ url: `file:${file}` });
  testWithin('@libsql/client', {
    ...shop,
    async transaction(work) {
      const tx = await client.transaction('write');
      try {
        await work(tx);
        await tx.commit();
      } finally {
        tx.close();
      }
    },
    order: (tx, id) => (tx as Transaction).execute({ sql: INSERT, args: [id] }),
  });

  const db = drizzle({ client: createClient({ url: `file:${file}` }) });
  testWithin('Drizzle over @libsql/client', {
    ...shop,
    transaction: (work) => db.transaction((tx) => work(tx)),
    order: (tx, id) => (tx as typeof db).run(tag`INSERT INTO orders (id) VALUES (${id})`),
  });
});

describe('one connection for the store and the transaction', async () => {
  const database = new Libsql(aFile());
  await sqlStore({ driver: fromSqlite(database) }).migrate();
  database.exec('CREATE TABLE orders (id TEXT PRIMARY KEY)');
  testWithin('of libsql', {
    open: () => sqlStore({ driver: fromSqlite(database), pollInterval: '20ms' }),
    orders: async () => (database.prepare('SELECT id FROM orders').all() as { id: string }[]).map(({ id }) => id),
    transaction: onDatabase(database),
    order: async (tx, id) => (tx as SqliteDatabase).prepare(INSERT).run(id),
    isAlone: true,
  });

  /** Drizzle over `better-sqlite3`, which libsql has the interface of. */
  const drizzleOver = (own: SqliteDatabase) => {
    const compiled = (query: SQL) => {
      const { sql, params } = new SQLiteSyncDialect().sqlToQuery(query);
      return { statement: own.prepare(sql), params: params as never[] };
    };
    const db = {
      $client: own,
      all: (query: SQL) => compiled(query).statement.all(...compiled(query).params),
      run: (query: SQL) => compiled(query).statement.run(...compiled(query).params),
      transaction(work: (tx: object) => unknown) {
        own.exec('BEGIN IMMEDIATE');
        const done = work(db);
        own.exec('COMMIT');
        return done;
      },
    };
    return fromDrizzle(db as never, tag, 'sqlite');
  };

  /** The interface of `node:sqlite` before Node 22.16, which can't tell whether a transaction is open. */
  const untold = (own: SqliteDatabase) =>
    fromSqlite({ exec: (sql) => own.exec(sql), prepare: (sql) => own.prepare(sql) });

  test.each([
    ['libsql', fromSqlite],
    ['a connection that can not tell', untold],
    ['Drizzle', drizzleOver],
  ])('%s: nobody is let in by what a transaction has written and not committed', async (_, driverOver) => {
    const own = new Libsql(aFile());
    const { postern } = createTestPostern({ store: sqlStore({ driver: driverOver(own), pollInterval: false }) });
    await postern.tokens.list();
    own.exec('BEGIN');
    const { token } = await postern.tokens.create({ name: 'x', types: all }, { within: own });
    expect(await postern.authenticate(token)).toMatchObject({ ok: false, reason: 'unavailable' });
    expect((await refusal(postern.tokens.create({ name: 'y', types: all }))).code).toBe('unavailable');
    own.exec('ROLLBACK');
    expect(await postern.authenticate(token)).toMatchObject({ ok: false, reason: 'token_unknown' });
    expect((await postern.tokens.list()).items).toEqual([]);
    await postern.close();
  });
});
