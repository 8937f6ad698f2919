import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisStore } from 'postern/stores/redis';
import { testStore } from 'postern/testing';
import { createClient } from 'redis';
import { afterAll, describe } from 'vitest';
import { useRedis } from '../support/redis-server.js';

const server = await useRedis(['--save', '']);
const prefix = () => randomUUID();

describe('on a real Redis', () => {
  testStore('redisStore by its URL (ioredis)', () => redisStore({ url: server.url, prefix: prefix() }));

  const ioredis = new Redis(server.port, { lazyConnect: true });
  testStore('redisStore on a client of ioredis', () => redisStore({ client: ioredis, prefix: prefix() }));

  const redis = createClient({ url: server.url });
  afterAll(() => {
    ioredis.disconnect();
    redis.destroy();
  });
  testStore('redisStore on a client of node-redis', () => redisStore({ client: redis, prefix: prefix() }));
});
