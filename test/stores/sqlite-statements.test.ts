import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createPostern } from 'postern';
import { type SqliteConstructor, type SqliteDatabase, type SqlValue, sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it } from 'vitest';
import { listChangesSql } from '../../src/stores/sqlite/changes.js';
import { findByDigestSql, listTokensSql } from '../../src/stores/sqlite/tokens.js';
import { aChange, aChangeId, aDigest, aSecret, aToken, aUsage, insert } from '../../src/testing/store-cases/case.js';
import { ask, Libsql, testDirectory } from './sqlite-files.js';

const { directory, aFile } = testDirectory();

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
  it('a lookup by digest is one statement, prepared once', async () => {
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
    await store.insertToken(aToken('t2'), aSecret('t1'), aChange('token.created', 't2'));
    expect(log.at(-1)).toBe('ROLLBACK');
    await store.close();
  });

  it('a change that fails in the middle leaves nothing, and the next one works', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await insert(store, aToken('t1'));
    const bad = aChange('token.created', 't2', 'acme', { organization: null as never });
    await expect(store.insertToken(aToken('t2'), aSecret('t2'), bad)).rejects.toThrow();
    expect(await store.findToken('t2')).toBeNull();
    expect(await store.findTokenByDigest([aDigest('t2')])).toBeNull();
    await insert(store, aToken('t2'));
    await store.close();
  });

  it('a batch of uses is one transaction: one that fails at its end counts nothing', async () => {
    const { driver, log } = spying();
    const store = sqliteStore({ filename: aFile(), driver });
    const ids = Array.from({ length: 1_200 }, (_, index) => `t${index}`);
    await insert(store, aToken('t0'));
    log.length = 0;
    await store.recordUsage(ids.map((id) => aUsage(id, 1, { a: 1 })));
    expect(log.filter((sql) => /^(BEGIN|COMMIT|ROLLBACK)/.test(sql))).toEqual(['BEGIN IMMEDIATE', 'COMMIT']);
    const bad = aUsage('t0', 5, { a: null as never });
    await expect(store.recordUsage([aUsage('t0', 4, { a: 1 }), bad])).rejects.toThrow();
    expect(await store.listUsage('t0')).toEqual([{ tokenId: 't0', endpoint: 'a', count: 1, lastUsedAt: 1 }]);
    expect((await store.findToken('t0'))?.lastUsedAt).toBe(1);
    await store.close();
  });

  it('every lookup and every page uses an index, in its order', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await store.migrate();
    const database = new Libsql(file);
    const plan = (sql: string, parameters: readonly (string | number | null)[]) =>
      (database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters) as { detail: string }[]).map(
        ({ detail }) => detail,
      );
    expect(plan(findByDigestSql(1), ['d'])).toEqual([
      'SEARCH s USING PRIMARY KEY (digest=?)',
      'SEARCH t USING INTEGER PRIMARY KEY (rowid=?)',
    ]);
    const after = { createdAt: 1, id: 'x' };
    for (const [query, index] of [
      [{ organization: 'acme', limit: 10 }, 'tokens_by_organization'],
      [{ organization: 'acme', limit: 10, after, type: 'user', search: 'x' }, 'tokens_by_organization'],
      [{ organization: 'acme', owner: 'ada', limit: 10, after }, 'tokens_by_owner'],
      [{ organization: null, limit: 10, after }, 'tokens_by_age'],
      [{ organization: null, limit: 10 }, 'tokens_by_age'],
    ] as const) {
      const { sql, parameters } = listTokensSql(query);
      const steps = plan(sql, parameters);
      expect(steps.join('\n')).toContain(`USING INDEX ${index}`);
      expect(steps.join('\n')).not.toContain('TEMP B-TREE');
    }
    const position = { at: 1, id: aChangeId('c') };
    for (const [query, index] of [
      [{ organization: 'acme', limit: 10, after: position }, 'changes_by_organization'],
      [{ organization: null, limit: 10, after: position }, 'changes_by_age'],
      [{ organization: null, subject: 't1', limit: 10, after: position }, 'changes_by_subject'],
    ] as const) {
      const { sql, parameters } = listChangesSql(query);
      const steps = plan(sql, parameters).join('\n');
      expect(steps).toContain(`USING INDEX ${index}`);
      expect(steps).not.toContain('TEMP B-TREE');
    }
    expect(plan('SELECT id FROM tokens WHERE expires_at <= ? ORDER BY expires_at LIMIT ?', [1, 1])[0]).toContain(
      'USING INDEX tokens_by_expiry',
    );
    database.close();
    await store.close();
  });
});

describe('the audit log', () => {
  it('can not be altered, nor cut, by a statement of anyone', async () => {
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

  it('names who changed what, and holds no secret', async () => {
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
