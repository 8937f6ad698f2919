import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as pass } from 'node:timers/promises';
import { Redis } from 'ioredis';
import pg from 'pg';
import {
  memoryRateLimiter,
  postgresRateLimiter,
  type RateLimiter,
  type RateLimiterPool,
  redisRateLimiter,
} from 'postern/limits';
import { createTestPostern } from 'postern/testing';
import { createClient } from 'redis';
import { afterAll, describe, expect, it, test } from 'vitest';
import { aDatabase } from '../stores/postgres-server.js';
import { thrown } from '../support/outcomes.js';
import { useRedis } from '../support/redis-server.js';
import { usePostgres } from '../support/services.js';

const MINUTE = 60_000;
const DAY = 86_400_000;

const postgres = await usePostgres();
const redis = await useRedis();

/** What every limiter does, wherever it counts. */
function counts(make: () => RateLimiter): void {
  const limiter = make();

  it('gives out exactly the points of a window to concurrent calls', async () => {
    const key = randomUUID();
    const window = { points: 20, duration: MINUTE };
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.consume(key, window, Date.now())));
    const allowed = answers.filter((answer) => answer.allowed);
    expect(allowed.map(({ remaining }) => remaining).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i),
    );
    for (const { allowed, remaining, resetIn } of answers) {
      if (!allowed) expect(remaining).toBe(0);
      expect(resetIn).toBeGreaterThan(0);
      expect(resetIn).toBeLessThanOrEqual(MINUTE);
    }
  });

  it('ends a window at its time even under steady traffic, and refused calls do not count in the next one', async () => {
    const key = randomUUID();
    const window = { points: 3, duration: 2_000 };
    for (const remaining of [2, 1, 0])
      expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining });
    let answer = await limiter.consume(key, window, Date.now());
    let refused = 0;
    for (let left = window.duration; !answer.allowed; answer = await limiter.consume(key, window, Date.now())) {
      refused++;
      // Steady traffic brings the end nearer, like everything else.
      expect(answer.resetIn).toBeLessThanOrEqual(left);
      left = answer.resetIn;
      await pass(20);
    }
    expect(refused).toBeGreaterThan(window.points);
    expect(answer.remaining).toBe(2);
    for (const remaining of [1, 0])
      expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining });
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: false });
  });

  it('counts each key separately', async () => {
    const window = { points: 1, duration: MINUTE };
    const [one, other] = [`rate:${randomUUID()}`, `quota:${randomUUID()}`];
    expect(await limiter.consume(one, window, Date.now())).toMatchObject({ allowed: true });
    expect(await limiter.consume(one, window, Date.now())).toMatchObject({ allowed: false });
    expect(await limiter.consume(other, window, Date.now())).toMatchObject({ allowed: true });
  });

  it('looks at a window without taking a point', async () => {
    const key = randomUUID();
    const window = { points: 2, duration: MINUTE };
    expect(await limiter.peek(key, window, Date.now())).toBeNull();
    for (const remaining of [1, 0, 0]) {
      await limiter.consume(key, window, Date.now());
      for (let looks = 0; looks < 3; looks++) {
        const state = await limiter.peek(key, window, Date.now());
        expect(state).toEqual({ remaining, resetIn: expect.any(Number) });
        expect(state?.resetIn).toBeGreaterThan(0);
        expect(state?.resetIn).toBeLessThanOrEqual(MINUTE);
      }
    }
  });

  it('sees no window once it has ended', async () => {
    const key = randomUUID();
    const window = { points: 1, duration: 1_000 };
    await limiter.consume(key, window, Date.now());
    await pass(1_100);
    expect(await limiter.peek(key, window, Date.now())).toBeNull();
  });

  it.each(['quota', 'rate'] as const)('a call that is refused for its %s uses up no other limit', async (refusing) => {
    const { postern, clock } = createTestPostern({ rateLimiter: limiter });
    const [few, many] = [2, 5];
    const { token, record } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      rateLimit: { points: refusing === 'rate' ? few : many, duration: '1h' },
      quota: { points: refusing === 'quota' ? few : many, refill: '30d' },
    });
    const call = async () => {
      const decision = await postern.authorize({ token, requirement: { scope: 'models:read' } });
      return decision.allowed ? 'allowed' : decision.limit?.policy;
    };
    const calls: unknown[] = [];
    for (let each = 0; each < 2 * many; each++) calls.push(await call());
    expect(calls).toEqual([...Array(few).fill('allowed'), ...Array(2 * many - few).fill(refusing)]);
    const other = refusing === 'rate' ? 'quota' : 'rate';
    const left = await limiter.peek(`${other}:${record.id}:1`, { points: many, duration: 30 * DAY }, clock.now());
    expect(left?.remaining).toBe(many - few);
  });

  it('never exceeds either of two limits, however many calls come at once', async () => {
    const { postern } = createTestPostern({ rateLimiter: limiter });
    const { token } = await postern.tokens.create({
      name: 'x',
      types: { developer: { scopes: ['models:read'] } },
      rateLimit: { points: 7, duration: '1h' },
      quota: { points: 5, refill: '30d' },
    });
    const attempt = { token, requirement: { scope: 'models:read' } } as const;
    const decisions = await Promise.all(Array.from({ length: 40 }, () => postern.authorize(attempt)));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  it('never makes a window shorter than requested', async () => {
    const { resetIn } = await limiter.consume(randomUUID(), { points: 1, duration: 1_001 }, Date.now());
    expect(resetIn).toBeGreaterThan(1_000);
  });

  // 2 ** 31 milliseconds, the longest timer of Node, are 24.8 days.
  it.each([25, 30, 365])('holds a window of %i days', async (days) => {
    const key = randomUUID();
    const window = { points: 1, duration: days * DAY };
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true });
    // A timer that is too long ends after 1 ms: one that was set later ends later.
    await pass(5);
    const answer = await limiter.consume(key, window, Date.now());
    expect(answer).toMatchObject({ allowed: false, remaining: 0 });
    expect(answer.resetIn).toBeGreaterThan((days - 1) * DAY);
  });
}

describe('in memory', () => {
  counts(memoryRateLimiter);

  it('counts separately from every other memory limiter', async () => {
    const window = { points: 1, duration: MINUTE };
    for (const limiter of [memoryRateLimiter(), memoryRateLimiter()]) {
      expect(await limiter.consume('rate:x', window, Date.now())).toMatchObject({ allowed: true });
    }
  });
});

describe('in PostgreSQL', () => {
  const pools: pg.Pool[] = [];
  const aPool = (connectionString = postgres.url()) => {
    const pool = new pg.Pool({ connectionString });
    // The end of the server ends idle connections too, which their pool tells in this way.
    pool.on('error', () => {});
    pools.push(pool);
    return pool;
  };
  afterAll(() => Promise.all(pools.map((pool) => pool.end())));

  describe('through a pool', () => counts(() => postgresRateLimiter({ pool: aPool() })));

  describe('through an object like a pool', () =>
    counts(() => {
      const pool = aPool();
      return postgresRateLimiter({ pool: { query: pool.query.bind(pool) as RateLimiterPool['query'] } });
    }));

  it('counts together with every other limiter on the database', async () => {
    await expectShared(postgresRateLimiter({ pool: aPool() }), postgresRateLimiter({ pool: aPool() }));
  });

  it('makes its table once if ten limiters start at once', async () => {
    const mine = Array.from({ length: 10 }, () => aPool());
    for (let round = 0; round < 5; round++) {
      const schema = `limits_${round}`;
      await mine[0]?.query(`CREATE SCHEMA ${schema}`);
      // Connected before, so that none is late.
      await Promise.all(mine.map((pool) => pool.query('SELECT 1')));
      const limiters = mine.map((pool) => postgresRateLimiter({ pool, schema }));
      const answers = await Promise.all(
        limiters.map((each) => each.consume('rate:x', { points: 5, duration: MINUTE }, Date.now())),
      );
      expect(answers.filter(({ allowed }) => allowed)).toHaveLength(5);
    }
  });

  it('keeps its table in the given schema', async () => {
    const pool = aPool(await aDatabase(postgres));
    await pool.query('CREATE SCHEMA limits');
    await postgresRateLimiter({ pool, schema: 'limits' }).consume(
      'rate:x',
      { points: 1, duration: MINUTE },
      Date.now(),
    );
    const { rows } = await pool.query('SELECT key, points FROM limits.rate_limits');
    expect(rows).toEqual([{ key: 'postern:rate:x', points: 1 }]);
  });

  it('rejects while its table can not be made, and makes it later', async () => {
    const pool = aPool(await aDatabase(postgres));
    const limiter = postgresRateLimiter({ pool, schema: 'later' });
    const window = { points: 1, duration: MINUTE };
    await expect(limiter.consume('rate:x', window, Date.now())).rejects.toThrow('schema "later" does not exist');
    await pool.query('CREATE SCHEMA later');
    expect(await limiter.consume('rate:x', window, Date.now())).toMatchObject({ allowed: true });
  });

  it('rejects while the server is down, and goes on from where it was', async () => {
    const limiter = postgresRateLimiter({ pool: aPool() });
    const window = { points: 2, duration: MINUTE };
    const key = randomUUID();
    await limiter.consume(key, window, Date.now());
    await postgres.stop();
    await expect(limiter.consume(key, window, Date.now())).rejects.toThrow();
    await postgres.start();
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining: 0 });
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: false });
  });
});

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

async function expectShared(one: RateLimiter, other: RateLimiter): Promise<void> {
  const window = { points: 2, duration: MINUTE };
  const key = randomUUID();
  expect(await one.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining: 1 });
  expect(await other.consume(key, window, Date.now())).toMatchObject({ allowed: true, remaining: 0 });
  for (const limiter of [one, other])
    expect(await limiter.consume(key, window, Date.now())).toMatchObject({ allowed: false });
}

describe('options', () => {
  test.each([
    ['a pool that is none', () => postgresRateLimiter({ pool: {} as never }), 'option_invalid', 'pool'],
    [
      'a client that is none',
      () => redisRateLimiter({ client: 'redis://localhost' as never }),
      'option_invalid',
      'client',
    ],
    [
      'a schema with a quote in it',
      () => postgresRateLimiter({ pool: { query: async () => {} }, schema: 'a"b' }),
      'option_invalid',
      'schema',
    ],
    [
      'an option that there is not',
      () => redisRateLimiter({ client: {}, prefix: 'x' } as never),
      'option_unknown',
      'prefix',
    ],
  ])('refuses %s', (_, make, code, path) => {
    expect(thrown(make)).toMatchObject({ code, path });
  });
});
