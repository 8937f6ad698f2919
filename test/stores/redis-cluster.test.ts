import { randomUUID } from 'node:crypto';
import { Cluster } from 'ioredis';
import { redisStore } from 'postern/stores/redis';
import { testStore } from 'postern/testing';
import { createCluster } from 'redis';
import { afterAll, describe, expect, it } from 'vitest';
import { aChange, aToken, deleteToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { redisCli, useRedisCluster } from '../support/redis-server.js';
import { listen, tells } from './listening.js';

const ports = await useRedisCluster();
const prefix = () => randomUUID();

describe('on a cluster of three masters', () => {
  const ioredis = new Cluster(
    ports.map((port) => ({ host: '127.0.0.1', port })),
    { lazyConnect: true, scaleReads: 'all' },
  );
  const redis = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
  afterAll(() => {
    ioredis.disconnect();
    redis.destroy();
  });
  testStore('redisStore on a Cluster of ioredis', () => redisStore({ client: ioredis, prefix: prefix() }));
  testStore('redisStore on a cluster of node-redis', () => redisStore({ client: redis, prefix: prefix() }));

  it('all keys of a store are in one slot, and other prefixes in other slots', async () => {
    const slots = new Map<string, Set<string>>();
    for (const name of ['one', 'two', 'three']) {
      const store = redisStore({ client: ioredis, prefix: name });
      const token = await insert(store, aToken('t1', { expiresAt: 1 }));
      await replace(store, next(token), 1);
      await store.close();
      const keys = (await Promise.all(ports.map((port) => redisCli(port, 'KEYS', `{${name}}:*`)))).join('\n');
      const each = keys.split('\n').filter((key) => key !== '');
      expect(each.length).toBeGreaterThan(5);
      const slotOf = (key: string) => redisCli(ports[0] as number, 'CLUSTER', 'KEYSLOT', key);
      slots.set(name, new Set(await Promise.all(each.map(slotOf))));
    }
    expect([...slots.values()].map(({ size }) => size)).toEqual([1, 1, 1]);
    expect(new Set([...slots.values()].flatMap((set) => [...set])).size).toBe(3);
  });

  it.each([
    ['ioredis', ioredis],
    ['node-redis', redis],
  ])('the feed works through any node (%s)', async (_name, client) => {
    const name = prefix();
    const [writer, reader] = [redisStore({ client, prefix: name }), redisStore({ client, prefix: name })];
    const feed = listen(reader);
    await reader.findToken('x');
    await feed.next('restored');
    const token = await insert(writer, aToken('t1'));
    await replace(writer, next(token), 1);
    await feed.until(tells({ kind: 'token', id: 't1' }));
    await deleteToken(writer, 't1', aChange('token.deleted', 't1'));
    expect(await writer.confirm?.(10_000)).toEqual({ acknowledged: 1, missing: 0 });
    expect(feed.told).toEqual([
      { kind: 'token', id: 't1' },
      { kind: 'token', id: 't1' },
    ]);
    await Promise.all([writer.close(), reader.close()]);
  });
});
