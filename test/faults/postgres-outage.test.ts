import pg from 'pg';
import { createPostern, type PosternEvent } from 'postern';
import { postgresStore } from 'postern/stores/postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { aToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { listen } from '../stores/listening.js';
import { aSchema, ask } from '../stores/postgres-server.js';
import { eventually } from '../support/eventually.js';
import { startProxy } from '../support/proxy.js';
import { usePostgres } from '../support/services.js';

const postgresUrl = (port: number) => `postgres://postgres@127.0.0.1:${port}/postgres`;
const server = await usePostgres();
const types = { developer: { scopes: ['models:write'] } } as const;
const requirement = { scope: 'models:read' } as const;

describe('in an outage of PostgreSQL', () => {
  const url = server.url();
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  const open = (schema: string, options: object = {}) => {
    const store = postgresStore({ connectionString: url, schema, heartbeat: '300ms', ...options });
    closing.push(() => store.close());
    return store;
  };
  async function listening(schema: string, options: object = {}) {
    const store = open(schema, options);
    const feed = listen(store);
    await store.findToken('x');
    await feed.next('restored');
    return { store, feed };
  }
  /** An instance with a cached token, and the store of another process. */
  async function warm(options: object = {}) {
    const schema = aSchema();
    const { store, feed } = await listening(schema, options);
    const events: PosternEvent[] = [];
    const postern = createPostern({ store, cache: { ttl: '1h' }, onEvent: (event) => events.push(event) });
    closing.push(() => postern.close());
    const { token, record } = await postern.tokens.create({ name: 'ci', types });
    expect(await postern.authorize({ token, requirement })).toMatchObject({ allowed: true });
    const other = createPostern({ store: open(schema, { listen: false }) });
    return { schema, store, feed, postern, events, token, record, other };
  }

  it('a feed whose backend was ended reports its loss and its return, and missed changes are not served', async () => {
    const proxy = await startProxy(server.port);
    closing.push(() => proxy.close());
    const name = aSchema();
    const listen = `${postgresUrl(proxy.port)}?application_name=${name}`;
    const { feed, postern, events, token, record, other } = await warm({ listen });
    // Nobody can listen until the revocation is made, so its message is missed for sure.
    proxy.refuse(true);
    const ended = await ask(
      url,
      'SELECT pg_terminate_backend(pid) AS done FROM pg_stat_activity WHERE application_name = $1',
      [name],
    );
    expect(ended).toEqual([{ done: true }]);
    const lost = await feed.next('lost');
    expect(lost).toMatchObject({ error: expect.any(Error) });
    expect(events.some((event) => event.type === 'feed' && !event.connected)).toBe(true);
    await other.tokens.revoke(record.id);
    proxy.refuse(false);
    await feed.next('restored');
    expect(events.some((event) => event.type === 'feed' && event.connected)).toBe(true);
    expect(await postern.authorize({ token, requirement })).toMatchObject({ reason: 'token_revoked' });
    // The new feed works.
    const second = await other.tokens.create({ name: 'second', types });
    expect((await postern.authenticate(second.token)).ok).toBe(true);
    feed.told.length = 0;
    await other.tokens.revoke(second.record.id);
    await feed.next('token');
    expect(await postern.authenticate(second.token)).toEqual({ ok: false, reason: 'token_revoked' });
  });

  it.each(['fast', 'immediate'] as const)(
    'a server stopped (%s) and started again gives 503 meanwhile, and nothing stale after',
    async (how) => {
      const { feed, postern, token, record, other } = await warm();
      const cold = await other.tokens.create({ name: 'cold', types });
      await server.stop(how);
      await feed.next('lost');
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => postern.authorize({ token: cold.token, requirement })),
      );
      expect(new Set(answers.map((each) => (each.allowed ? 'allowed' : each.reason)))).toEqual(
        new Set(['unavailable']),
      );
      await expect(postern.tokens.revoke(record.id)).rejects.toMatchObject({ code: 'unavailable' });
      await server.start();
      await eventually(() => other.tokens.revoke(record.id));
      await feed.next('restored');
      expect(await postern.authorize({ token, requirement })).toMatchObject({ reason: 'token_revoked' });
      expect(await postern.authorize({ token: cold.token, requirement })).toMatchObject({ allowed: true });
    },
  );

  it('the feed of a new store is told as lost, and recovers by itself', async () => {
    await server.stop();
    const store = open(aSchema());
    const feed = listen(store);
    await expect(store.findToken('x')).rejects.toThrow();
    await expect(store.findToken('x')).rejects.toThrow();
    await server.start();
    expect(await store.findToken('x')).toBeNull();
    await feed.next('restored');
    const token = await insert(store, aToken('t1'));
    expect(await replace(store, next(token), 1)).toBe(true);
  });

  it('a feed that falls silent on an open connection is found and replaced', async () => {
    const proxy = await startProxy(server.port);
    closing.push(() => proxy.close());
    const { feed, postern, token, record, other } = await warm({ listen: postgresUrl(proxy.port) });
    proxy.freeze(false);
    await other.tokens.revoke(record.id);
    await feed.next('lost');
    await feed.next('restored');
    expect(await postern.authorize({ token, requirement })).toMatchObject({ reason: 'token_revoked' });
  });

  it('a call to a silent server rejects at its deadline, and works once the server answers', async () => {
    const proxy = await startProxy(server.port);
    closing.push(() => proxy.close());
    const schema = aSchema();
    const token = await insert(open(schema, { listen: false }), aToken('t1'));
    const store = open(schema, { connectionString: postgresUrl(proxy.port), timeout: '300ms', listen: false });
    await eventually(() => store.findToken('t1'));
    proxy.freeze(true);
    await expect(store.findToken('t1')).rejects.toThrow('no answer');
    await expect(store.findToken('t1')).rejects.toThrow('no connection');
    proxy.thaw();
    expect((await eventually(() => store.findToken('t1')))?.id).toBe('t1');
    expect(await replace(open(schema, { listen: false }), next(token), 1)).toBe(true);
  });

  it('a call with an exhausted pool of the application rejects at its deadline, and nothing leaks', async () => {
    const pool = new pg.Pool({ connectionString: url, max: 2 });
    closing.push(() => pool.end());
    const schema = aSchema();
    await open(schema).migrate();
    const store = open(schema, { connectionString: undefined, pool, timeout: '200ms', listen: false });
    await eventually(() => store.findToken('x'));
    const taken = [await pool.connect(), await pool.connect()];
    await expect(store.findToken('x')).rejects.toThrow('no connection to PostgreSQL in 200 ms');
    for (const client of taken) client.release();
    await expect.poll(() => [pool.totalCount - pool.idleCount, pool.waitingCount]).toEqual([0, 0]);
    expect(await eventually(() => store.findToken('x'))).toBeNull();
  });

  it('a change that waits too long for a lock rejects and is told, and told again if it was made', async () => {
    const schema = aSchema();
    const token = await insert(open(schema, { listen: false }), aToken('t1'));
    const store = open(schema, { timeout: '300ms' });
    const feed = listen(store);
    await eventually(() => store.findToken('t1'));
    await feed.next('restored');
    const other = new pg.Client(url);
    await other.connect();
    await other.query(`BEGIN; SELECT 1 FROM ${schema}.tokens FOR UPDATE`);
    await expect(replace(store, next(token, { revokedAt: 1 }), 1)).rejects.toThrow('no answer');
    expect(await feed.next('token')).toEqual({ kind: 'token', id: 't1' });
    await other.query('COMMIT');
    expect(await feed.next('token')).toEqual({ kind: 'token', id: 't1' });
    await other.end();
    expect((await eventually(() => store.findToken('t1')))?.revokedAt).toBe(1);
  });

  it('behind a transaction pooler the feed is lost, and the event says how to configure it', async () => {
    // Like pgbouncer in that mode: LISTEN is answered, and only notifications sent along with an answer arrive.
    class Pooled extends pg.Client {
      override emit(event: string, ...values: unknown[]) {
        const { processID } = this as unknown as { processID: number };
        const isForeign = event === 'notification' && (values[0] as { processId: number }).processId !== processID;
        return isForeign ? false : super.emit(event, ...values);
      }
    }
    const store = open(aSchema(), { listen: () => new Pooled(url) });
    const feed = listen(store);
    await store.findToken('x');
    const lost = await feed.next('lost');
    expect(String(lost.kind === 'lost' && lost.error)).toContain(
      'LISTEN does not work through a transaction pooler: give a direct connection in `listen`',
    );
    expect(feed.told).toEqual([]);
    const late = listen(store);
    expect(await late.next('lost')).toMatchObject({ error: expect.any(Error) });
  });

  it('close ends although the server does not answer', async () => {
    const proxy = await startProxy(server.port);
    closing.push(() => proxy.close());
    const { store } = await listening(aSchema(), { connectionString: postgresUrl(proxy.port), timeout: '5s' });
    proxy.freeze(true);
    await store.close();
    await expect(store.findToken('x')).rejects.toMatchObject({ code: 'closed' });
  });
});
