import type { ChildProcess } from 'node:child_process';
import { createPostern } from 'postern';
import { sqliteStore } from 'postern/stores/sqlite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  aChange,
  anEndpoint,
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
import { askChild, startChild } from './child.js';
import { listen, tells } from './listening.js';
import { ask, Libsql, script, testDirectory } from './sqlite-files.js';

const { aFile } = testDirectory();
const types = { developer: { scopes: ['models:write'] } } as const;

describe('two processes at one file', () => {
  const file = aFile();
  let peer: ChildProcess;
  const tell = <T = unknown>(command: string, argument?: unknown) => askChild<T>(peer, { command, argument });
  beforeAll(() => {
    peer = startChild('./sqlite-peer.ts', [file]);
  });
  afterAll(() => tell('close'));

  it('create tokens at once, and none is lost', async () => {
    const postern = createPostern({ store: sqliteStore({ filename: file }) });
    const names = (whose: string) => Array.from({ length: 40 }, (_, index) => `${whose} ${index}`);
    const [theirs, ours] = await Promise.all([
      tell<string[]>('create', names('theirs')),
      Promise.all(names('ours').map(async (name) => (await postern.tokens.create({ name, types })).token)),
    ]);
    for (const token of [...theirs, ...ours]) expect((await postern.authenticate(token)).ok).toBe(true);
    const listed = await postern.tokens.list({ limit: 1_000 });
    expect(new Set(listed.items.map(({ name }) => name))).toEqual(new Set([...names('theirs'), ...names('ours')]));
    await postern.close();
    expect(ask(file, 'SELECT count(*) FROM tokens')).toBe(80);
    expect(ask(file, 'PRAGMA integrity_check')).toBe('ok');
  });

  it('write the same new entries at once, and exactly one succeeds for each entry', async () => {
    const store = sqliteStore({ filename: file });
    const entries = (whose: string) => Array.from({ length: 40 }, (_, index) => anEntry(`e${index}`, { value: whose }));
    const [theirs, ours] = await Promise.all([
      tell<boolean[]>('begin', entries('theirs')),
      Promise.all(entries('ours').map((entry) => store.putEntry(entry, 0, 0))),
    ]);
    for (const [index, { id }] of entries('').entries()) {
      expect(theirs[index]).toBe(!ours[index]);
      expect((await store.findEntry('login', id, 0))?.value).toBe(ours[index] ? 'ours' : 'theirs');
    }
    await store.close();
  });

  it("see the other's revocation long before the cache expires", async () => {
    const store = sqliteStore({ filename: file });
    const postern = createPostern({ store, cache: { ttl: '1d' } });
    const { token, record } = await postern.tokens.create({ name: 'shared', types });
    expect((await postern.authenticate(token)).ok).toBe(true);
    const feed = listen(store);
    await tell('revoke', record.id);
    await feed.until(tells({ kind: 'token', id: record.id }));
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
    await postern.close();
  });

  it("see the other's change of an endpoint", async () => {
    const store = sqliteStore({ filename: file });
    const postern = createPostern({ store, cache: { ttl: '1d' } });
    await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
    const attempt = { token: null, requirement: { endpoint: 'summarizer' } } as const;
    expect((await postern.authorize(attempt)).allowed).toBe(false);
    const feed = listen(store);
    await tell('access', ['summarizer', 'public']);
    await feed.until(tells({ kind: 'endpoints', organization: 'default' }));
    expect((await postern.authorize(attempt)).allowed).toBe(true);
    await postern.close();
  });
});

describe('the feed', () => {
  /** Two stores at one file, the second of them listening. */
  async function pair() {
    const file = aFile();
    const writer = sqliteStore({ filename: file });
    const reader = sqliteStore({ filename: file, pollInterval: '5ms' });
    const feed = listen(reader);
    await writer.migrate();
    await reader.migrate();
    return { file, writer, reader, feed, close: () => Promise.all([writer.close(), reader.close()]) };
  }

  it('tells each change of another connection once and in order, but no new tokens, uses or entries', async () => {
    const { writer, feed, close } = await pair();
    const token = await insert(writer, aToken('t1'));
    await writer.recordUsage([aUsage('t1', 5, { a: 1 })]);
    await writer.putEntry(anEntry('e1'), 0, 0);
    await replace(writer, next(token), 1);
    await writer.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a'));
    await deleteToken(writer, 't1', aChange('token.deleted', 't1'));
    await writer.insertEndpoint(
      anEndpoint('last', { organization: 'end' }),
      aChange('endpoint.created', 'last', 'end'),
    );
    await feed.until(tells({ kind: 'endpoints', organization: 'end' }));
    expect(feed.told).toEqual([
      { kind: 'token', id: 't1' },
      { kind: 'endpoints', organization: 'acme' },
      { kind: 'token', id: 't1' },
      { kind: 'endpoints', organization: 'end' },
    ]);
    await close();
  });

  it('tells own changes at once, and not a second time', async () => {
    const { writer, reader, feed, close } = await pair();
    const token = await insert(reader, aToken('mine'));
    await replace(reader, next(token), 1);
    expect(feed.told).toEqual([{ kind: 'token', id: 'mine' }]);
    await writer.insertEndpoint(
      anEndpoint('last', { organization: 'end' }),
      aChange('endpoint.created', 'last', 'end'),
    );
    await feed.until(tells({ kind: 'endpoints', organization: 'end' }));
    expect(feed.told).toHaveLength(2);
    await close();
  });

  it('misses no change if own changes and changes of others are mixed', async () => {
    const { writer, reader, feed, close } = await pair();
    for (let index = 0; index < 20; index++) {
      const store = index % 2 === 0 ? writer : reader;
      await store.insertEndpoint(
        anEndpoint('a', { organization: `o${index}` }),
        aChange('endpoint.created', 'a', `o${index}`),
      );
    }
    for (let index = 0; index < 20; index++) {
      await feed.until(tells({ kind: 'endpoints', organization: `o${index}` }));
    }
    await close();
  });

  it('tells "everything" if there are too many changes', async () => {
    const { file, feed, close } = await pair();
    script(
      file,
      `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
       INSERT INTO changes (id, at, type, actor_kind, organization, subject, told)
       SELECT 'c' || i, 1, 'token.revoked', 'application', 'acme', 't' || i, json_array('token', 'c' || i, 't' || i) FROM n`,
    );
    await feed.until(() => true);
    expect(feed.told).toEqual([{ kind: 'everything' }]);
    await close();
  });

  it('tells "everything" if unseen changes were trimmed, and nothing if seen ones were', async () => {
    const { file, writer, feed, close } = await pair();
    const token = await insert(writer, aToken('t1'));
    await replace(writer, next(token), 1);
    await feed.until(tells({ kind: 'token', id: 't1' }));
    // In one step, so that no look comes between.
    script(
      file,
      `BEGIN; INSERT INTO trimming VALUES (9e15);
       INSERT INTO changes (id, at, type, actor_kind, organization, subject, told)
         VALUES ('unseen', 1, 'token.revoked', 'application', 'acme', 't1', '["token","unseen","t1"]');
       DELETE FROM changes; DELETE FROM trimming; COMMIT`,
    );
    await feed.until(({ kind }) => kind === 'everything');
    feed.told.length = 0;
    await writer.insertEndpoint(
      anEndpoint('last', { organization: 'end' }),
      aChange('endpoint.created', 'last', 'end', { at: 1 }),
    );
    await feed.until(tells({ kind: 'endpoints', organization: 'end' }));
    expect(await writer.trimChanges(2, 10)).toBe(1);
    await writer.insertEndpoint(anEndpoint('a', { organization: 'o' }), aChange('endpoint.created', 'a', 'o'));
    await feed.until(tells({ kind: 'endpoints', organization: 'o' }));
    expect(feed.told).toHaveLength(2);
    await close();
  });

  it('tells "everything" if the log has become shorter', async () => {
    const { file, writer, reader, feed, close } = await pair();
    await reader.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a'));
    feed.told.length = 0;
    script(file, 'DROP TRIGGER changes_are_never_deleted; DELETE FROM changes; DELETE FROM sqlite_sequence');
    await feed.until(() => true);
    expect(feed.told).toEqual([{ kind: 'everything' }]);
    await writer.insertEndpoint(anEndpoint('b'), aChange('endpoint.created', 'b', 'end'));
    await close();
  });

  it('has a timer only while someone listens and the store is open', async () => {
    const started = vi.spyOn(globalThis, 'setInterval');
    const cleared = vi.spyOn(globalThis, 'clearInterval');
    const looking = () => started.mock.calls.length - cleared.mock.calls.length;
    const store = sqliteStore({ filename: aFile() });
    await store.migrate();
    expect(looking()).toBe(0);
    const stops = [store.subscribe?.(() => {}), store.subscribe?.(() => {})];
    expect(looking()).toBe(1);
    stops[0]?.();
    expect(looking()).toBe(1);
    stops[1]?.();
    expect(looking()).toBe(0);
    store.subscribe?.(() => {});
    expect(looking()).toBe(1);
    await store.close();
    expect(looking()).toBe(0);
    store.subscribe?.(() => {});
    expect(looking()).toBe(0);
    vi.restoreAllMocks();
  });
});

describe('a lock that another process holds', () => {
  it('makes a change wait without blocking the event loop', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await store.migrate();
    const other = new Libsql(file);
    other.exec('BEGIN IMMEDIATE');
    let turns = 0;
    const timer = setInterval(() => {
      // The first turn comes while the change is waiting: a store that blocked would never get here.
      if (++turns === 3) other.exec('COMMIT');
    }, 1);
    expect(await insertToken(store, aToken('t1'), aSecret('t1'), aChange('token.created', 't1'))).toBe(true);
    clearInterval(timer);
    expect(turns).toBeGreaterThanOrEqual(3);
    other.close();
    await store.close();
  });

  it('does not block readers, which see the committed state', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await insert(store, aToken('t1'));
    const other = new Libsql(file);
    other.exec("BEGIN IMMEDIATE; UPDATE tokens SET name = 'uncommitted'");
    expect((await store.findToken('t1'))?.name).toBe('token t1');
    other.exec('COMMIT');
    expect((await store.findToken('t1'))?.name).toBe('uncommitted');
    other.close();
    await store.close();
  });

  it('is no longer waited for once the store closes', async () => {
    const file = aFile();
    const store = sqliteStore({ filename: file });
    await store.migrate();
    const other = new Libsql(file);
    other.exec('BEGIN IMMEDIATE');
    const waiting = insertToken(store, aToken('t1'), aSecret('t1'), aChange('token.created', 't1'));
    await Promise.all([store.close(), expect(waiting).rejects.toMatchObject({ code: 'closed' })]);
    other.exec('ROLLBACK');
    other.close();
  });
});
