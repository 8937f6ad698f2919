import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { postgresRateLimiter, type RateLimiterPool } from 'postern/limits';
import { afterAll, describe, expect, it } from 'vitest';
import { aDatabase } from '../stores/postgres-server.js';
import { usePostgres } from '../support/services.js';
import { counts, expectShared, MINUTE } from './counts.js';

const postgres = await usePostgres();

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
