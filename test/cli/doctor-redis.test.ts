import { redisStore } from 'postern/stores/redis';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redisCli, useRedis } from '../support/redis-server.js';
import { freePort } from '../support/services.js';
import { about, doctor, filled, removeRoot, statusOf } from './doctor-world.js';

afterAll(removeRoot);

describe('postern doctor on Redis', async () => {
  const redis = await useRedis();
  const cli = (...words: string[]) => redisCli(redis.port, ...words);
  const store = ['--store', redis.url];
  const policy = (name: string) => cli('CONFIG', 'SET', 'maxmemory-policy', name);

  beforeEach(async () => {
    await cli('FLUSHALL');
    await filled(redisStore({ url: redis.url }));
  });
  afterEach(() => policy('noeviction'));

  it('finds nothing wrong with a good one', async () => {
    const { code, findings } = await doctor(store);
    expect({ code, ...statusOf(findings) }).toEqual({
      code: 0,
      node: 'ok',
      clock: 'ok',
      memory: 'ok',
      persistence: 'ok',
      schema: 'ok',
      store: 'ok',
      feed: 'ok',
      prefix: 'ok',
      types: 'ok',
    });
  });

  it.each([
    ['volatile-lru', 'warning', 0],
    ['allkeys-lru', 'problem', 1],
  ] as const)('judges maxmemory-policy %s', async (name, status, code) => {
    await policy(name);
    const found = await doctor(store);
    expect(found.code).toBe(code);
    expect(about(found.findings, 'memory')).toMatchObject({
      status,
      message: expect.stringContaining(name),
      next: 'CONFIG SET maxmemory-policy noeviction',
    });
  });

  it('warns of missing persistence', async () => {
    await cli('CONFIG', 'SET', 'appendonly', 'no');
    const { code, findings } = await doctor(store);
    await cli('CONFIG', 'SET', 'appendonly', 'yes');
    expect(code).toBe(0);
    expect(about(findings, 'persistence')).toMatchObject({ status: 'warning' });
  });

  it('names a replica', async () => {
    await cli('REPLICAOF', '127.0.0.1', String(await freePort()));
    const { code, findings } = await doctor(store);
    await cli('REPLICAOF', 'NO', 'ONE');
    expect(code).toBe(1);
    expect(about(findings, 'writes')).toMatchObject({ status: 'problem', next: 'Name the master.' });
  });

  it('names a server that does not answer, without its password', async () => {
    const nobody = `redis://:canary@127.0.0.1:${await freePort()}`;
    const { code, findings } = await doctor(['--store', nobody]);
    expect(code).toBe(1);
    expect(about(findings, 'store')).toMatchObject({ status: 'problem' });
    expect(JSON.stringify(findings)).not.toContain('canary');
  });
});
