import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createPostern } from 'postern';
import { type SqliteConstructor, type SqliteDatabase, type SqlValue, sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it } from 'vitest';
import { Sqlite } from '../../src/stores/sql/dialects/sqlite.js';
import { TokenStatements } from '../../src/stores/sql/tokens.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  insert,
  insertToken,
  T0,
} from '../../src/testing/store-cases/case.js';
import { ask, Libsql, script, testDirectory } from './sqlite-files.js';

const { directory, aFile } = testDirectory();
const statements = new TokenStatements(new Sqlite(''));
const findByDigestSql = (digests: number) => statements.byDigest(Array(digests).fill('x')).sql;
const findByKeyIdSql = (keyIds: number) => statements.byKeyId(Array(keyIds).fill('x')).sql;

/** A driver that notes every statement that is run. */
function spying(): { readonly driver: SqliteConstructor; readonly log: string[] } {
  const log: string[] = [];
  class Spy implements SqliteDatabase {
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
      log.push(`prepare ${sql}`);
      const noted =
        <R>(work: (...parameters: readonly SqlValue[]) => R) =>
        (...parameters: readonly SqlValue[]) => {
          log.push(sql);
          return work(...parameters);
        };
      return {
        get: noted(statement.get.bind(statement)),
        all: noted(statement.all.bind(statement)),
        run: noted(statement.run.bind(statement)),
      };
    }
    close() {
      return this.#database.close();
    }
  }
  return { driver: Spy, log };
}

describe('statements', () => {
  it('a look-up by digest is one statement, prepared once', async () => {
    const { driver, log } = spying();
    const store = sqliteStore({ filename: aFile(), driver });
    await insert(store, aToken('t1'));
    await store.findTokenByDigest([aDigest('t1')]);
    log.length = 0;
    await store.findTokenByDigest([aDigest('t1')]);
    await store.findTokenByDigest([aDigest('absent')]);
    expect(log).toEqual([findByDigestSql(1), findByDigestSql(1)]);
    await store.close();
  });

  it('a look-up by the id of a key is one statement, prepared once; a look-up by digest reads no key', async () => {
    const { driver, log } = spying();
    const store = sqliteStore({ filename: aFile(), driver });
    await insert(store, aToken('t1'), aSecret('t1', { key: aKey('t1') }));
    await store.findTokenByKeyId([aKeyId('t1')]);
    log.length = 0;
    await store.findTokenByKeyId([aKeyId('t1')]);
    await store.findTokenByKeyId([aKeyId('absent')]);
    expect(log).toEqual([findByKeyIdSql(1), findByKeyIdSql(1)]);
    expect(findByDigestSql(2)).not.toMatch(/key/);
    await store.close();
  });

  it('a write of an entry is one transaction; a refused write removes no ended entries', async () => {
    const { driver, log } = spying();
    const store = sqliteStore({ filename: aFile(), driver });
    await store.putEntry(anEntry('e1'), 0, 0);
    const runBy = async (call: () => Promise<boolean>) => {
      log.length = 0;
      const done = await call();
      const statements = log.map((sql) => sql.trim().split(/\s+/)).filter(([first]) => first !== 'prepare');
      return [done, ...statements.map((words) => words[0])];
    };
    expect(await runBy(() => store.putEntry(anEntry('e2'), 0, 0))).toEqual([
      true,
      'BEGIN',
      'INSERT',
      'DELETE',
      'COMMIT',
    ]);
    expect(await runBy(() => store.putEntry(anEntry('e2'), 0, 0))).toEqual([false, 'BEGIN', 'INSERT', 'ROLLBACK']);
    expect(await runBy(() => store.putEntry(anEntry('e2'), 1, 0))).toEqual([
      true,
      'BEGIN',
      'UPDATE',
      'DELETE',
      'COMMIT',
    ]);
    expect(await runBy(() => store.putEntry(anEntry('e2'), 7, 0))).toEqual([false, 'BEGIN', 'UPDATE', 'ROLLBACK']);
    expect(await runBy(() => store.deleteEntry('login', 'e2', 7, 0))).toEqual([false, 'BEGIN', 'DELETE', 'ROLLBACK']);
    expect(await runBy(() => store.deleteEntry('login', 'e2', 1, 0))).toEqual([true, 'BEGIN', 'DELETE', 'COMMIT']);
    await store.close();
  });

  it('later writes remove ended entries, some at a time, a minute after their end', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    for (let index = 0; index < 20; index++)
      await store.putEntry(anEntry(`e${index}`, { expiresAt: 1_000 + index }), 0, 0);
    await store.putEntry(anEntry('stays'), 0, 0);
    const left = async (now: number) => {
      const id = `now${now}`;
      expect(await store.putEntry(anEntry(id), 0, now)).toBe(true);
      expect(await store.deleteEntry('login', id, 1, now)).toBe(true);
      return ask(file, 'SELECT count(*) FROM entries');
    };
    expect(await left(60_999)).toBe(21);
    expect(await left(61_001)).toBe(19);
    expect(await left(100_000)).toBe(11);
    expect(await left(100_001)).toBe(3);
    expect(await left(100_002)).toBe(1);
    expect(await store.findEntry('login', 'stays', 100_002)).toEqual(anEntry('stays'));
    await store.close();
  });

  it('a change is one transaction, with its row in the audit log', async () => {
    const { driver, log } = spying();
    const store = sqliteStore({ filename: aFile(), driver });
    await store.migrate();
    log.length = 0;
    await insert(store, aToken('t1'));
    const run = log
      .filter((sql) => !sql.startsWith('prepare'))
      .map((sql) => sql.trim().split(/\s+/).slice(0, 3).join(' '));
    expect(run).toEqual([
      'BEGIN IMMEDIATE',
      'INSERT INTO tokens',
      'INSERT INTO secrets',
      'INSERT INTO changes',
      'COMMIT',
    ]);
    log.length = 0;
    await insertToken(store, aToken('t2'), aSecret('t1'), aChange('token.created', 't2'));
    expect(log.at(-1)).toBe('ROLLBACK');
    await store.close();
  });

  it('a change that fails in the middle leaves no trace, and the next one works', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await insert(store, aToken('t1'));
    const bad = aChange('token.created', 't2', 'acme', { organization: null as never });
    await expect(insertToken(store, aToken('t2'), aSecret('t2'), bad)).rejects.toThrow();
    expect(await store.findToken('t2')).toBeNull();
    expect(await store.findTokenByDigest([aDigest('t2')])).toBeNull();
    await insert(store, aToken('t2'));
    await store.close();
  });

  it('a batch of uses is one transaction, and counts nothing if it fails at its end', async () => {
    const { driver, log } = spying();
    const store = sqliteStore({ filename: aFile(), driver });
    const ids = Array.from({ length: 1_200 }, (_, index) => `t${index}`);
    await insert(store, aToken('t0'));
    log.length = 0;
    await store.recordUsage(ids.map((id) => aUsage(id, 1, { a: 1 })));
    expect(log.filter((sql) => /^(BEGIN|COMMIT|ROLLBACK)/.test(sql))).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    const bad = aUsage('t0', 5, { a: null as never });
    await expect(store.recordUsage([aUsage('t0', 4, { a: 1 }), bad])).rejects.toThrow();
    expect(await store.listUsage(['t0'])).toEqual([{ tokenId: 't0', endpoint: 'a', count: 1, lastUsedAt: 1 }]);
    expect((await store.findToken('t0'))?.lastUsedAt).toBe(1);
    await store.close();
  });
});

describe('the audit log', () => {
  it('can not be altered or cut by any statement', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await insert(store, aToken('t1'));
    await store.close();
    const database = new Libsql(file);
    for (const sql of ["UPDATE changes SET actor_kind = 'principal'", 'DELETE FROM changes']) {
      expect(() => database.exec(sql)).toThrow('append-only');
    }
    database.close();
    expect(ask(file, 'SELECT count(*) FROM changes')).toBe(1);
  });

  it('can be deleted from only while the store trims it', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await insert(store, aToken('t1'));
    await insert(store, aToken('t2'));
    expect(await store.trimChanges(T0 + 1, 1)).toBe(1);
    await store.close();
    expect(ask(file, 'SELECT count(*) FROM trimming')).toBe(0);
    expect(() => script(file, 'DELETE FROM changes')).toThrow('append-only');
  });

  it('names the author and the subject of each change, and holds no secret', async () => {
    const file = aFile();
    const postern = createPostern({ store: sqliteStore({ filename: file }), organization: 'acme', clock: () => 1_000 });
    const types = { developer: { scopes: ['models:write'] } } as const;
    const { token, record } = await postern.tokens.create({ name: 'ci', owner: 'ada', types });
    const found = await postern.authenticate(token);
    if (!found.ok) throw new Error(found.reason);
    await postern.as(found.principal).tokens.update(record.id, { name: 'renamed' });
    await postern.endpoints.create({ id: 'summarizer', access: 'public' });
    await postern.tokens.delete(record.id);
    await postern.close();
    const rows = ask(
      file,
      `SELECT json_group_array(json_array(at, type, actor_kind, actor_token, actor_owner, organization, subject))
       FROM (SELECT * FROM changes ORDER BY seq)`,
    );
    expect(JSON.parse(String(rows))).toEqual([
      [1_000, 'token.created', 'application', null, null, 'acme', record.id],
      [1_000, 'token.updated', 'principal', record.id, 'ada', 'acme', record.id],
      [1_000, 'endpoint.created', 'application', null, null, 'acme', 'summarizer'],
      [1_000, 'token.deleted', 'application', null, null, 'acme', record.id],
    ]);
  });
});

describe('secrets', () => {
  it('are in no byte of the database, its -wal or its -shm', async () => {
    const file = aFile('canary.db');
    const postern = createPostern({ store: sqliteStore({ filename: file }), pepper: 'a pepper of many characters' });
    const canaries: string[] = ['a pepper of many characters'];
    for (let index = 0; index < 20; index++) {
      const { token, record } = await postern.tokens.create({
        name: `ci ${index}`,
        types: { developer: { scopes: ['models:write'] } },
      });
      expect((await postern.authenticate(token)).ok).toBe(true);
      const rotated = await postern.tokens.rotate(record.id, { grace: '1h' });
      expect((await postern.authenticate(rotated.token)).ok).toBe(true);
      canaries.push(token, rotated.token);
      if (index % 3 === 0) await postern.tokens.revoke(record.id);
    }
    const files = () => readdirSync(directory).filter((name) => name.startsWith(basename(file)));
    const assertClean = () => {
      for (const name of files()) {
        const bytes = readFileSync(join(directory, name));
        for (const canary of canaries) {
          for (const text of [canary, canary.slice(-40), canary.slice(4, 30)]) {
            expect(bytes.includes(text), `${name} holds a secret`).toBe(false);
          }
        }
      }
    };
    expect(files().sort()).toEqual(['canary.db', 'canary.db-shm', 'canary.db-wal']);
    expect(readFileSync(`${file}-wal`).includes('ci 19'), 'the -wal holds what was written last').toBe(true);
    assertClean();
    await postern.close();
    assertClean();
    expect(readFileSync(file).includes('ci 19'), 'the file alone is whole after close').toBe(true);
  });
});
