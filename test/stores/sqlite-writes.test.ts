import { type SqliteConstructor, type SqliteDatabase, sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it } from 'vitest';
import {
  aChange,
  aDigest,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  insertToken,
  next,
  replace,
} from '../../src/testing/store-cases/case.js';
import { Libsql, testDirectory } from './sqlite-files.js';

const { aFile } = testDirectory();

/** A driver that notes what is executed beside statements, and throws where a parameter of a statement is this text. */
function watched({ poison }: { readonly poison?: string } = {}) {
  const log: string[] = [];
  class Watched implements SqliteDatabase {
    readonly #database: SqliteDatabase;
    constructor(filename: string) {
      this.#database = new Libsql(filename);
    }
    exec(sql: string) {
      log.push(sql);
      return this.#database.exec(sql);
    }
    prepare(sql: string) {
      const statement = this.#database.prepare(sql);
      const run: typeof statement.run = (...parameters) => {
        if (poison !== undefined && parameters.some((each) => String(each).includes(poison)))
          throw new Error('the disk is gone');
        return statement.run(...parameters);
      };
      return { get: statement.get.bind(statement), all: statement.all.bind(statement), run };
    }
    close() {
      return this.#database.close();
    }
  }
  const commits = () => log.filter((sql) => sql === 'COMMIT').length;
  return { driver: Watched as SqliteConstructor, log, commits };
}

const created = (id: string) => aChange('token.created', id);

describe('concurrent writes', () => {
  it('share a transaction and keep their order', async () => {
    const { driver, log, commits } = watched();
    const store = sqliteStore({ filename: aFile(), driver });
    const token = await insert(store, aToken('t1'));
    log.length = 0;
    const done = await Promise.all([
      insertToken(store, aToken('t2'), aSecret('t2'), created('t2')),
      replace(store, next(token, { name: 'second' }), 1),
      replace(store, next(next(token), { name: 'third' }), 2),
      store.recordUsage([aUsage('t1', 7, { a: 1 })]),
      store.putEntry(anEntry('e1'), 0, 0),
      deleteToken(store, 't2', aChange('token.deleted', 't2')),
    ]);
    expect(done).toEqual([true, true, true, undefined, true, true]);
    expect(commits()).toBe(1);
    expect(await store.findToken('t1')).toMatchObject({ name: 'third', version: 3, lastUsedAt: 7 });
    expect(await store.findToken('t2')).toBeNull();
    const changes = await store.listChanges({ organization: null, limit: 10 });
    expect(changes).toHaveLength(5);
    await store.close();
  });

  it('are atomic each by itself: a refused write leaves no trace, and the others are made', async () => {
    const { driver, log, commits } = watched();
    const store = sqliteStore({ filename: aFile(), driver });
    await insert(store, aToken('t1'), aSecret('t1'));
    log.length = 0;
    const refused = created('t3');
    const done = await Promise.all([
      insertToken(store, aToken('t2'), aSecret('t2'), created('t2')),
      // The token's row is written before its digest turns out to be taken.
      insertToken(store, aToken('t3'), aSecret('t1'), refused),
      insertToken(store, aToken('t4'), aSecret('t4'), created('t4')),
    ]);
    expect(done).toEqual([true, false, true]);
    expect(commits()).toBe(1);
    expect(await store.findToken('t3')).toBeNull();
    expect(await store.findToken('t4')).not.toBeNull();
    const changes = await store.listChanges({ organization: null, limit: 10 });
    expect(changes.map(({ id }) => id)).not.toContain(refused.id);
    await store.close();
  });

  it('fail alone: a write that throws rejects its own caller, and the others are made', async () => {
    const { driver } = watched({ poison: 'poisoned' });
    const store = sqliteStore({ filename: aFile(), driver });
    const done = await Promise.allSettled(
      ['t1', 'poisoned', 't2'].map((id) => insertToken(store, aToken(id), aSecret(id), created(id))),
    );
    expect(done.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.findTokenByDigest([aDigest('t2')])).not.toBeNull();
    expect(await store.findToken('poisoned')).toBeNull();
    expect(await store.listChanges({ organization: null, limit: 10 })).toHaveLength(2);
    await store.close();
  });

  it('are told to listeners before their callers continue, but only if they were made', async () => {
    const store = sqliteStore({ filename: aFile() });
    for (const id of ['t1', 't2']) await insert(store, aToken(id));
    const told: unknown[] = [];
    store.subscribe?.((invalidation) => told.push(invalidation));
    await Promise.all([
      deleteToken(store, 't1', aChange('token.deleted', 't1')).then(() => told.push('t1 goes on')),
      deleteToken(store, 'gone', aChange('token.deleted', 'gone')),
      deleteToken(store, 't2', aChange('token.deleted', 't2')),
    ]);
    expect(told).toEqual([{ kind: 'token', id: 't1' }, { kind: 'token', id: 't2' }, 't1 goes on']);
    await store.close();
  });

  it('that began before the store was closed are made, and the file holds them', async () => {
    const filename = aFile();
    const store = sqliteStore({ filename });
    const ids = Array.from({ length: 300 }, (_, index) => `t${index}`);
    const writes = ids.map((id) => insertToken(store, aToken(id), aSecret(id), created(id)));
    const closing = store.close();
    await expect(store.findToken('t1')).rejects.toMatchObject({ code: 'closed' });
    await closing;
    expect(new Set(await Promise.all(writes))).toEqual(new Set([true]));
    const again = sqliteStore({ filename });
    expect(await again.countTokens({ organization: null }, 1_000)).toBe(300);
    await again.close();
  });

  it('let the event loop turn, even if they are many', async () => {
    const store = sqliteStore({ filename: aFile() });
    await store.migrate();
    let turns = 0;
    let ended = false;
    const turn = () => {
      turns++;
      if (!ended) setImmediate(turn);
    };
    setImmediate(turn);
    const ids = Array.from({ length: 2_000 }, (_, index) => `t${index}`);
    await Promise.all(ids.map((id) => insertToken(store, aToken(id), aSecret(id), created(id))));
    ended = true;
    expect(turns).toBeGreaterThan(3);
    await store.close();
  });
});
