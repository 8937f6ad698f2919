import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisStore } from 'postern/stores/redis';
import { testStore } from 'postern/testing';
import { createClient } from 'redis';
import { afterAll, describe } from 'vitest';
import { useRedis } from '../support/redis-server.js';

const server = await useRedis(['--save', '']);
const prefix = () => randomUUID();

describe.skipIf(server === null)('on a real Redis', () => {
  if (server === null) return;
  testStore('redisStore by its URL (ioredis)', () => redisStore({ url: server.url, prefix: prefix() }));

  const ioredis = new Redis(server.port, { lazyConnect: true });
  afterAll(() => ioredis.disconnect());
  testStore('redisStore on a client of ioredis', () => redisStore({ client: ioredis, prefix: prefix() }));

  const redis = createClient({ url: server.url });
  afterAll(() => redis.destroy());
  testStore('redisStore on a client of node-redis', () => redisStore({ client: redis, prefix: prefix() }));
});
