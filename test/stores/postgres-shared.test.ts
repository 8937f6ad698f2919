import { createPostern } from 'postern';
import type { Store } from 'postern/store';
import { type PostgresStore, postgresStore } from 'postern/stores/postgres';
import { controlledStore } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { aChange, anEndpoint, aToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { usePostgres } from '../support/services.js';
import { listen, tells } from './listening.js';
import { aSchema, ask } from './postgres-server.js';

const server = await usePostgres();
const types = { developer: { scopes: ['models:write'] } } as const;

describe('processes that share a database', () => {
  const url = server.url();
  const open = (schema: string) => postgresStore({ connectionString: url, schema, heartbeat: '300ms' });
  /** A store that listens, and is told. */
  async function listening(schema: string) {
    const store = open(schema);
    const feed = listen(store);
    await store.findToken('x');
    await feed.next('restored');
    return { store, feed };
  }

  it('a read that began before a revocation by another process does not put the old record back', async () => {
    const schema = aSchema();
    const { store: inner, feed } = await listening(schema);
    const store = controlledStore(inner);
    const postern = createPostern({ store, cache: { ttl: '1h' } });
    const other = createPostern({ store: open(schema) });
    const { token, record } = await other.tokens.create({ name: 'ci', types });
    const gate = store.hold('findTokenByDigest', 'after');
    const reading = postern.authenticate(token);
    const held = await gate.next();
    await other.tokens.revoke(record.id);
    await feed.until(tells({ kind: 'token', id: record.id }));
    gate.end();
    held.release();
    await reading;
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
    await Promise.all([postern.close(), other.close()]);
  });

  describe('the feed', () => {
    /** Two stores, the second of them listening; `heard` says what it was told until now. */
    async function pair() {
      const schema = aSchema();
      const writer = open(schema);
      const { store: reader, feed } = await listening(schema);
      const heard = async () => {
        const last = anEndpoint('last', { organization: `end ${Math.random()}` });
        await writer.insertEndpoint(last, aChange('endpoint.created', 'last', last.organization));
        await feed.until(tells({ kind: 'endpoints', organization: last.organization }));
        return feed.told.splice(0).slice(0, -1);
      };
      return { schema, writer, reader, feed, heard, close: () => Promise.all([writer.close(), reader.close()]) };
    }

    it('tells a change only after its commit, and never an undone one', async () => {
      const { schema, heard, close } = await pair();
      const payload = JSON.stringify(['token', 'change', 'undone']);
      await ask(url, `DO $$ BEGIN PERFORM pg_notify('postern:${schema}', '${payload}'); RAISE 'no'; END $$`).catch(
        () => {},
      );
      expect(await heard()).toEqual([]);
      await close();
    });

    it('tells "everything" for a name too long for a notification, and for an unreadable message', async () => {
      const { schema, writer, feed, heard, close } = await pair();
      const organization = '\u0001'.repeat(3_000);
      await writer.insertEndpoint(anEndpoint('a', { organization }), aChange('endpoint.created', 'a', organization));
      expect(await heard()).toEqual([{ kind: 'everything' }]);
      for (const payload of ['', 'null', '{}', '["token"]', '["future","c","x"]', 'not json']) {
        await ask(url, 'SELECT pg_notify($1, $2)', [`postern:${schema}`, payload]);
        expect(await feed.next('everything'), payload).toEqual({ kind: 'everything' });
      }
      await close();
    });

    it('tells no changes of another schema', async () => {
      const { heard, close } = await pair();
      const elsewhere = open(aSchema());
      await elsewhere.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a'));
      expect(await heard()).toEqual([]);
      await Promise.all([close(), elsewhere.close()]);
    });

    it('has one connection while someone listens, which closes with the last listener and with the store', async () => {
      const schema = aSchema();
      const store = open(schema);
      const count = async () => {
        const [row] = await ask(
          url,
          "SELECT count(*)::int AS n FROM pg_stat_activity WHERE query LIKE '%' || $1 || '%' AND query LIKE 'LISTEN%'",
          [schema],
        );
        return row?.n as number;
      };
      const becomes = async (wanted: number) => {
        while ((await count()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
      };
      await store.findToken('x');
      await becomes(0);
      const feeds = [listen(store), listen(store)];
      await Promise.all(feeds.map((feed) => feed.until(({ kind }) => kind === 'restored')));
      const present = () => ask(url, `SELECT 1 FROM ${schema}.listeners`);
      await store.findToken('x');
      expect(await present()).toHaveLength(1);
      feeds[0]?.stop();
      await replace(store, next(await insert(store, aToken('t1'))), 1);
      expect(feeds[1]?.told.at(-1)).toEqual({ kind: 'token', id: 't1' });
      feeds[1]?.stop();
      await store.close();
      expect(await present()).toEqual([]);
      expect(await count()).toBe(0);
    });
  });

  describe('a confirmation', () => {
    const confirm = (store: Store, timeout: number) => (store as Required<Store>).confirm(timeout);

    it('counts each store that listens, including its own, and no other', async () => {
      const schema = aSchema();
      const all = await Promise.all([listening(schema), listening(schema), listening(schema)]);
      const silent = open(schema);
      await silent.migrate();
      expect(await confirm((all[0] as (typeof all)[0]).store, 5_000)).toEqual({ acknowledged: 3, missing: 0 });
      // Nobody listens there, so nobody is to be told.
      expect(await confirm(silent, 5_000)).toEqual({ acknowledged: 3, missing: 0 });
      await all[2]?.store.close();
      expect(await confirm((all[0] as (typeof all)[0]).store, 5_000)).toMatchObject({ missing: 0 });
      await Promise.all([...all.map(({ store }) => store.close()), silent.close()]);
    });

    it('waits for a process as long as it listens and sends heartbeats', async () => {
      const schema = aSchema();
      const { store } = await listening(schema);
      const until = async () => (await ask(url, `SELECT live_until FROM ${schema}.listeners`))[0]?.live_until as Date;
      const first = (await until()).getTime();
      for (const later of [first, first + 300]) while ((await until()).getTime() <= later);
      await store.close();
    });

    it('resolves only after every listener was told of each earlier change', async () => {
      const schema = aSchema();
      const others = await Promise.all([listening(schema), listening(schema)]);
      const { store } = await listening(schema);
      for (let index = 0; index < 20; index++) {
        const token = await insert(store, aToken(`t${index}`));
        await replace(store, next(token), 1);
        const answer = await confirm(store, 5_000);
        for (const { feed } of others) expect(feed.told).toContainEqual({ kind: 'token', id: token.id });
        expect(answer).toEqual({ acknowledged: 3, missing: 0 });
      }
      await Promise.all([...others.map((other) => other.store.close()), store.close()]);
    });

    it('waits for a process that reads, even if its feed is not live yet', async () => {
      const schema = aSchema();
      const { store } = await listening(schema);
      // Its feed has another way to the server, which leads nowhere.
      const deaf: PostgresStore = postgresStore({
        connectionString: url,
        schema,
        heartbeat: '300ms',
        listen: 'postgres://postgres@127.0.0.1:1/none',
      });
      const feed = listen(deaf);
      await deaf.findToken('x');
      expect(await confirm(store, 1_500)).toEqual({ acknowledged: 1, missing: 1 });
      expect(feed.told[0]?.kind).toBe('lost');
      await deaf.close();
      expect(await confirm(store, 5_000)).toEqual({ acknowledged: 1, missing: 0 });
      await store.close();
    });
  });
});
