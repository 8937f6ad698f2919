import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisStore } from 'postern/stores/redis';
import { testStore } from 'postern/testing';
import { createClient } from 'redis';
import { afterAll, describe } from 'vitest';
import { useRedis } from '../support/redis-server.js';
import { testRow } from './table.js';

const server = await useRedis(['--save', '']);
const prefix = () => randomUUID();

describe('on a real Redis', () => {
  testRow({
    database: 'Redis',
    driver: '`ioredis`, `redisStore`',
    place: prefix,
    open: (place) => redisStore({ url: server.url, prefix: place }),
  });

  const ioredis = new Redis(server.port, { lazyConnect: true });
  testStore('redisStore on a client of ioredis', () => redisStore({ client: ioredis, prefix: prefix() }));

  const redis = createClient({ url: server.url });
  afterAll(() => {
    ioredis.disconnect();
    redis.destroy();
  });
  testRow({
    database: 'Redis',
    driver: '`redis`, `redisStore`',
    place: prefix,
    open: (place) => redisStore({ client: redis, prefix: place }),
  });
});
