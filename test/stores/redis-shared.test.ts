import type { ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { createPostern } from 'postern';
import { type RedisClient, redisStore } from 'postern/stores/redis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aChange,
  anEndpoint,
  aToken,
  aUsage,
  deleteToken,
  insert,
  next,
  replace,
} from '../../src/testing/store-cases/case.js';
import { startProxy } from '../support/proxy.js';
import { redisCli, useRedis } from '../support/redis-server.js';
import { askChild, startChild } from './child.js';
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

  describe('two processes', () => {
    const prefix = randomUUID();
    let peer: ChildProcess;
    const tell = <T = unknown>(command: string, argument?: unknown) => askChild<T>(peer, { command, argument });
    beforeAll(() => {
      peer = startChild('./redis-peer.ts', [url, prefix]);
    });
    afterAll(() => tell('close'));

    it('create tokens at once, and none is lost', async () => {
      const postern = createPostern({ store: open(prefix) });
      const names = (whose: string) => Array.from({ length: 40 }, (_, index) => `${whose} ${index}`);
      const [theirs, ours] = await Promise.all([
        tell<string[]>('create', names('theirs')),
        Promise.all(names('ours').map(async (name) => (await postern.tokens.create({ name, types })).token)),
      ]);
      for (const token of [...theirs, ...ours]) expect((await postern.authenticate(token)).ok).toBe(true);
      await postern.close();
    });

    it("see the other's revocation at once, even with a cache of an hour", async () => {
      const { store, feed } = await listening(prefix);
      const postern = createPostern({ store, cache: { ttl: '1h' } });
      const { token, record } = await postern.tokens.create({ name: 'shared', types });
      expect(await tell('authenticate', token)).toMatchObject({ ok: true });
      // Ours: the other one has said that it knows.
      await postern.tokens.revoke(record.id);
      expect(await store.confirm?.(10_000)).toEqual({ acknowledged: 2, missing: 0 });
      expect(await tell('authenticate', token)).toEqual({ ok: false, reason: 'token_revoked' });
      // Theirs.
      const [second] = await tell<string[]>('create', ['second']);
      const found = await postern.authenticate(second);
      const id = found.ok ? found.principal.tokenId : '';
      await tell('revoke', id);
      await feed.until(tells({ kind: 'token', id }));
      expect(await postern.authenticate(second)).toEqual({ ok: false, reason: 'token_revoked' });
      await postern.close();
    });

    it("see the other's change of an endpoint", async () => {
      const { store, feed } = await listening(prefix);
      const postern = createPostern({ store, cache: { ttl: '1h' } });
      await postern.endpoints.create({ id: 'summarizer', access: 'protected' });
      const attempt = { token: null, requirement: { endpoint: 'summarizer' } } as const;
      expect((await postern.authorize(attempt)).allowed).toBe(false);
      feed.told.length = 0;
      await tell('access', ['summarizer', 'public']);
      await feed.until(tells({ kind: 'endpoints', organization: 'default' }));
      expect((await postern.authorize(attempt)).allowed).toBe(true);
      await postern.close();
    });

    it('rotate one token at once: exactly one succeeds, and its secret works', async () => {
      const postern = createPostern({ store: open(prefix) });
      for (let round = 0; round < 10; round++) {
        const { record } = await postern.tokens.create({ name: `rotated ${round}`, types });
        const settled = await Promise.allSettled([
          postern.tokens.rotate(record.id, { grace: '1h' }),
          tell<{ token: string }>('rotate', record.id),
        ]);
        const won = settled.filter((each) => each.status === 'fulfilled');
        const lost = settled.filter((each) => each.status === 'rejected');
        // Now and then one comes after the other, which is no race: then both do it.
        expect(won.length).toBeGreaterThanOrEqual(1);
        for (const { reason } of lost) expect(String(reason.code ?? reason.message)).toContain('conflict');
        for (const { value } of won) expect(await postern.authenticate(value.token)).toMatchObject({ ok: true });
        expect(await redisCli(port, 'HGET', `{${prefix}}:tokens`, record.id)).toMatch(
          new RegExp(`^${won.length + 1}\n([0-9a-f]{64}(:[0-9a-f]{64})?,?){${won.length + 1}}\n`),
        );
      }
      await postern.close();
    });
  });

  describe('a confirmation', () => {
    it('waits for a killed process until its heartbeats are too old, and no longer', async () => {
      const prefix = randomUUID();
      const { store } = await listening(prefix);
      const peer = startChild('./redis-peer.ts', [url, prefix]);
      await askChild(peer, { command: 'create', argument: ['one'] });
      expect(await store.confirm?.(10_000)).toEqual({ acknowledged: 2, missing: 0 });
      peer.kill('SIGKILL');
      await once(peer, 'exit');
      expect(await store.confirm?.(300)).toEqual({ acknowledged: 1, missing: 1 });
      expect(await store.confirm?.(10_000)).toEqual({ acknowledged: 1, missing: 0 });
      await store.close();
    });

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
    it('tells each change of another process once and in order, but no new tokens or uses', async () => {
      const prefix = randomUUID();
      const { store: reader, feed } = await listening(prefix);
      const writer = open(prefix);
      const token = await insert(writer, aToken('t1'));
      await writer.recordUsage([aUsage('t1', 5)]);
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
      await Promise.all([writer.close(), reader.close()]);
    });

    it('tells own changes before the call returns, and not a second time', async () => {
      const prefix = randomUUID();
      const { store, feed } = await listening(prefix);
      const writer = open(prefix);
      const token = await insert(store, aToken('mine'));
      await replace(store, next(token), 1);
      expect(feed.told).toEqual([{ kind: 'token', id: 'mine' }]);
      await writer.insertEndpoint(
        anEndpoint('last', { organization: 'end' }),
        aChange('endpoint.created', 'last', 'end'),
      );
      await feed.until(tells({ kind: 'endpoints', organization: 'end' }));
      expect(feed.told).toHaveLength(2);
      await Promise.all([writer.close(), store.close()]);
    });

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
