import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createPostern } from 'postern';
import { type RedisClient, redisStore } from 'postern/stores/redis';
import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import { aToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { startProxy } from '../support/proxy.js';
import { redisCli, useRedis } from '../support/redis-server.js';
import { listen, tells } from './listening.js';

const server = await useRedis(['--save', '']);
const types = { developer: { scopes: ['models:write'] } } as const;

describe('processes that share a Redis', () => {
  const { url, port } = server;
  const open = (prefix: string) => redisStore({ url, prefix, heartbeat: '300ms' });
  /** A store that listens, and is told. */
  async function listening(prefix: string, store = open(prefix)) {
    const feed = listen(store);
    await store.findToken('x');
    await feed.next('restored');
    return { store, feed };
  }

  describe('a confirmation', () => {
    it('waits for a process as long as it listens and sends heartbeats', async () => {
      const prefix = randomUUID();
      const { store } = await listening(prefix);
      const until = async () =>
        Number((await redisCli(port, 'ZRANGE', `{${prefix}}:live`, '0', '0', 'WITHSCORES')).split('\n')[1]);
      const first = await until();
      for (const later of [first, first + 300]) while ((await until()) <= later);
      await store.close();
    });

    it('counts a process that does not answer as missing', async () => {
      const prefix = randomUUID();
      const { store } = await listening(prefix);
      await redisCli(port, 'ZADD', `{${prefix}}:live`, '99999999999999', 'someone');
      expect(await store.confirm?.(300)).toEqual({ acknowledged: 1, missing: 1 });
      await store.close();
    });

    it('does not wait for a closed store, nor for one without listeners', async () => {
      const prefix = randomUUID();
      const { store } = await listening(prefix);
      const { store: other, feed } = await listening(prefix);
      const silent = open(prefix);
      await silent.findToken('x');
      expect(await store.confirm?.(10_000)).toEqual({ acknowledged: 2, missing: 0 });
      feed.stop();
      expect(await silent.confirm?.(10_000)).toEqual({ acknowledged: 1, missing: 0 });
      await other.close();
      await store.close();
      expect(await silent.confirm?.(10_000)).toEqual({ acknowledged: 0, missing: 0 });
      expect(await redisCli(port, 'ZCARD', `{${prefix}}:live`)).toBe('0');
      await silent.close();
    });
  });

  describe('the feed', () => {
    it('tells "everything" after a lost message, even if it was the last one', async () => {
      const prefix = randomUUID();
      const { store, feed } = await listening(prefix);
      await redisCli(port, 'INCR', `{${prefix}}:seq`);
      expect(await feed.next('everything')).toEqual({ kind: 'everything' });
      await replace(store, next(await insert(store, aToken('t1'))), 1);
      expect(feed.told).toEqual([{ kind: 'token', id: 't1' }]);
      await store.close();
    });

    it('tells "everything" before the change that follows a lost one', async () => {
      const prefix = randomUUID();
      // No heartbeat comes in between.
      const { store, feed } = await listening(prefix, redisStore({ url, prefix, heartbeat: '1m' }));
      feed.told.length = 0;
      const writer = open(prefix);
      const token = await insert(writer, aToken('t1'));
      await redisCli(port, 'INCR', `{${prefix}}:seq`);
      await replace(writer, next(token), 1);
      await feed.until(tells({ kind: 'token', id: 't1' }));
      expect(feed.told).toEqual([{ kind: 'everything' }, { kind: 'token', id: 't1' }]);
      await Promise.all([store.close(), writer.close()]);
    });

    it.each([
      ['ioredis', () => new Redis(port, { lazyConnect: true })],
      ['node-redis', () => createClient({ url })],
    ] as const)('that is cut says so, and that it is back; what was missed is found (%s)', async (_name, make) => {
      const prefix = randomUUID();
      const client = make();
      const { store, feed } = await listening(prefix, redisStore({ client, prefix, heartbeat: '300ms' }));
      const postern = createPostern({ store, cache: { ttl: '1h' } });
      const { token, record } = await postern.tokens.create({ name: 'cut', types });
      expect(await postern.authenticate(token)).toMatchObject({ ok: true });
      const other = createPostern({ store: open(prefix) });
      await redisCli(port, 'CLIENT', 'KILL', 'TYPE', 'pubsub');
      expect(await feed.next('lost')).toHaveProperty('error');
      await other.tokens.revoke(record.id);
      await feed.until(({ kind }) => kind === 'restored' || kind === 'token');
      expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
      await Promise.all([postern.close(), other.close()]);
      await (client instanceof Redis ? client.quit() : client.close());
    });

    it('that died silently is noticed and replaced', async () => {
      const prefix = randomUUID();
      const proxy = await startProxy(port);
      const client = new Redis(port, { lazyConnect: true });
      // Its own connection is sound; those for subscribing go through the proxy.
      const duplicate = () => new Redis(proxy.port, { maxRetriesPerRequest: null });
      const halfDead = Object.assign(client, { duplicate }) as unknown as RedisClient;
      const { store, feed } = await listening(prefix, redisStore({ client: halfDead, prefix, heartbeat: '100ms' }));
      proxy.freeze(false);
      const lost = await feed.next('lost');
      expect(String((lost as { error: unknown }).error)).toContain('silent');
      await feed.next('restored');
      const token = await insert(store, aToken('t1'));
      const writer = open(prefix);
      await replace(writer, next(token), 1);
      await feed.until(tells({ kind: 'token', id: 't1' }));
      await Promise.all([store.close(), writer.close()]);
      client.disconnect();
      await proxy.close();
    });

    it('waits for a Redis that has not started yet', async () => {
      const proxy = await startProxy(port);
      proxy.refuse(true);
      const store = redisStore({ url: `redis://127.0.0.1:${proxy.port}`, prefix: randomUUID(), heartbeat: '100ms' });
      const feed = listen(store);
      await expect(store.findToken('t1')).rejects.toThrow();
      proxy.refuse(false);
      expect(await store.findToken('t1')).toBe(null);
      await feed.next('restored');
      await store.close();
      await proxy.close();
    });

    it('keeps no connection after the last listener has stopped', async () => {
      const prefix = randomUUID();
      const client = new Redis(port, { connectionName: prefix });
      const store = redisStore({ client, prefix, heartbeat: '300ms' });
      const first = listen(store);
      const second = listen(store);
      await store.findToken('x');
      await first.next('restored');
      const connections = async () =>
        (await redisCli(port, 'CLIENT', 'LIST')).split('\n').filter((line) => line.includes(`name=${prefix} `)).length;
      expect(await connections()).toBe(2);
      first.stop();
      expect(await connections()).toBe(2);
      second.stop();
      while ((await connections()) > 1);
      await store.close();
      // The client is the application's.
      expect(await client.ping()).toBe('PONG');
      await client.quit();
    });
  });
});
