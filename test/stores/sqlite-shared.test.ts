import { sqliteStore } from 'postern/stores/sqlite';
import { describe, expect, it, vi } from 'vitest';
import { aChange, anEndpoint, aSecret, aToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { listen, tells } from './listening.js';
import { Libsql, script, testDirectory } from './sqlite-files.js';

const { aFile } = testDirectory();

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
    expect(await store.insertToken(aToken('t1'), aSecret('t1'), aChange('token.created', 't1'))).toBe(true);
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
    const waiting = store.insertToken(aToken('t1'), aSecret('t1'), aChange('token.created', 't1'));
    await Promise.all([store.close(), expect(waiting).rejects.toMatchObject({ code: 'closed' })]);
    other.exec('ROLLBACK');
    other.close();
  });
});
