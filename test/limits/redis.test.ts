import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { redisRateLimiter } from 'postern/limits';
import { createClient } from 'redis';
import { afterAll, describe, expect, it } from 'vitest';
import { useRedis } from '../support/redis-server.js';
import { counts, expectShared, MINUTE } from './counts.js';

const redis = await useRedis();

describe('in Redis', () => {
  const clients: Redis[] = [];
  const anIoredis = () => {
    const client = new Redis(redis.port, { retryStrategy: () => 50 });
    client.on('error', () => {});
    clients.push(client);
    return client;
  };
  const nodeRedis = createClient({ url: redis.url, socket: { reconnectStrategy: 50 } });
  nodeRedis.on('error', () => {});
  afterAll(() => {
    for (const client of clients) client.disconnect();
    nodeRedis.destroy();
  });

  describe('through ioredis', async () => {
    const client = anIoredis();
    await once(client, 'ready');
    counts(() => redisRateLimiter({ client }));
  });

  describe('through node-redis', async () => {
    await nodeRedis.connect();
    counts(() => redisRateLimiter({ client: nodeRedis }));
  });

  it('counts together with every other limiter on the server, also through another client package', async () => {
    const client = anIoredis();
    await once(client, 'ready');
    await expectShared(redisRateLimiter({ client }), redisRateLimiter({ client: nodeRedis }));
  });

  it('rejects while the server is down, and goes on from where it was', async () => {
    const client = anIoredis();
    await once(client, 'ready');
    const window = { points: 3, duration: MINUTE };
    const key = randomUUID();
    const limiters = [redisRateLimiter({ client }), redisRateLimiter({ client: nodeRedis })];
    await limiters[0]?.consume(key, window, Date.now());
    await Promise.all([redis.kill(), told(client, 'close'), told(nodeRedis, 'reconnecting')]);
    for (const limiter of limiters) await expect(limiter.consume(key, window, Date.now())).rejects.toThrow();
    await Promise.all([redis.start(), told(client, 'ready'), told(nodeRedis, 'ready')]);
    for (const [index, limiter] of limiters.entries()) {
      expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining: 1 - index });
    }
    expect(await limiters[0]?.consume(key, window, Date.now())).toMatchObject({ allowed: false });
  });

  it('rejects at once if it was never connected', async () => {
    const client = new Redis(redis.port, { lazyConnect: true });
    clients.push(client);
    const consumed = redisRateLimiter({ client }).consume('rate:x', { points: 1, duration: MINUTE }, Date.now());
    await expect(consumed).rejects.toThrow('not ready');
  });
});

/** Unlike `once` of `node:events`, it does not reject at the errors that go with the end of a server. */
function told(emitter: { once(event: string, listener: () => void): unknown }, event: string): Promise<void> {
  return new Promise((resolve) => emitter.once(event, resolve));
}
