import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { isPosternError } from 'postern';
import { type RedisStoreOptions, redisStore } from 'postern/stores/redis';
import { createClient, createClientPool, createSentinel } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { clientFor } from '../../src/stores/redis/driver.js';
import { aToken, aUsage, insert } from '../../src/testing/store-cases/case.js';
import { refusal, thrown } from '../support/outcomes.js';
import { redisCli, useRedis } from '../support/redis-server.js';

const server = await useRedis(['--save', '']);
const url = server.url ?? 'redis://127.0.0.1:1';

describe('options', () => {
  const options = (value: object) => thrown(() => redisStore(value as RedisStoreOptions));

  it.each([
    [{}, 'option_invalid', undefined],
    [{ url, client: new Redis({ lazyConnect: true }) }, 'option_invalid', undefined],
    [{ url: 'http://localhost' }, 'option_invalid', 'url'],
    [{ url: 'localhost:6379' }, 'option_invalid', 'url'],
    [{ url: 5 }, 'option_invalid', 'url'],
    [{ client: {} }, 'option_invalid', 'client'],
    [{ client: null }, 'option_invalid', 'client'],
    [{ client: createClientPool({ url }) }, 'option_invalid', 'client'],
    [{ client: createSentinel({ name: 'x', sentinelRootNodes: [] }) }, 'option_invalid', 'client'],
    [{ client: new Redis({ lazyConnect: true, keyPrefix: 'app:' }) }, 'option_invalid', 'client'],
    [{ client: createClient({ url, keyPrefix: 'app:' }) }, 'option_invalid', 'client'],
    [{ url, prefix: '' }, 'option_invalid', 'prefix'],
    [{ url, prefix: 'a{b}' }, 'option_invalid', 'prefix'],
    [{ url, prefix: 'x'.repeat(65) }, 'option_invalid', 'prefix'],
    [{ url, timeout: 'soon' }, 'option_invalid', 'timeout'],
    [{ url, timeout: 0 }, 'option_invalid', 'timeout'],
    [{ url, heartbeat: '1ms' }, 'option_invalid', 'heartbeat'],
    [{ url, ttl: 1 }, 'option_unknown', 'ttl'],
  ])('wrong options are refused (%#)', (value, code, path) => {
    expect(options(value)).toMatchObject({ code, path });
  });

  it('no message shows the password of a URL', () => {
    const { message } = options({ url: 'http://user:canary-secret@localhost' });
    expect(message).not.toContain('canary-secret');
  });
});

describe('the driver of a URL', () => {
  it('is ioredis, else redis; without both, the error says how to hand one over', async () => {
    const loaded: string[] = [];
    const port = clientFor(url, 100, (name) => {
      loaded.push(name);
      return name === 'redis' ? { createClient } : null;
    });
    expect(loaded).toEqual(['ioredis', 'redis']);
    expect(port.state()).toBe('idle');
    const error = thrown(() => clientFor(url, 100, () => null));
    expect(error.code).toBe('driver_missing');
    expect(error.message).toContain('redisStore({ client })');
  });
});

describe('opening Redis', () => {
  const { port } = server;
  const cli = (...args: string[]) => redisCli(port, ...args);
  const open = (prefix: string, more: object = {}) => redisStore({ url, prefix, ...more });
  afterEach(() => cli('CONFIG', 'SET', 'maxmemory-policy', 'noeviction'));

  it('on an empty server migrate makes the layout once, and a dry run only returns it', async () => {
    const prefix = randomUUID();
    const store = open(prefix);
    const made = { from: 0, to: 1, statements: [`SET {${prefix}}:schema 1`] };
    expect(await store.migrate({ dryRun: true })).toEqual(made);
    expect(await cli('KEYS', `{${prefix}}*`)).toBe('');
    expect(await store.migrate()).toEqual(made);
    expect(await store.migrate()).toEqual({ from: 1, to: 1, statements: [] });
    expect(await store.migrate({ dryRun: true })).toEqual({ from: 1, to: 1, statements: [] });
    expect(await cli('GET', `{${prefix}}:schema`)).toBe('1');
    await store.close();
    expect(await refusal(store.migrate())).toMatchObject({ code: 'closed' });
  });

  it('if ten stores open at once, one of them makes the layout', async () => {
    const prefix = randomUUID();
    const stores = Array.from({ length: 10 }, () => open(prefix));
    const done = await Promise.all(stores.map((store) => store.migrate()));
    expect(done.filter(({ from }) => from === 0)).toHaveLength(1);
    for (const store of stores) await store.close();
  });

  it('a newer layout is refused without a write, also if it appears while the store is open', async () => {
    const prefix = randomUUID();
    const store = open(prefix);
    await insert(store, aToken('t1'));
    await cli('SET', `{${prefix}}:schema`, '2');
    expect(await refusal(store.findToken('t1'))).toMatchObject({ code: 'store_newer' });
    expect(await refusal(insert(store, aToken('t2')))).toMatchObject({ code: 'store_newer' });
    expect(await refusal(open(prefix).migrate())).toMatchObject({ code: 'store_newer' });
    expect(await refusal(open(prefix).migrate({ dryRun: true }))).toMatchObject({ code: 'store_newer' });
    expect(await cli('HLEN', `{${prefix}}:tokens`)).toBe('1');
    await cli('SET', `{${prefix}}:schema`, '1');
    expect((await store.findToken('t1'))?.id).toBe('t1');
    await store.close();
  });

  it.each([
    ['no version', 'schema', ['SET', 'something else']],
    ['no version, and a key of one of our names', 'tokens', ['SET', 'something else']],
  ])('foreign data (%s) is refused and not changed', async (_case, key, [command, value]) => {
    const prefix = randomUUID();
    await cli(command as string, `{${prefix}}:${key}`, value as string);
    const store = open(prefix);
    expect(await refusal(store.findToken('t1'))).toMatchObject({ code: 'store_invalid' });
    expect(await cli('KEYS', `{${prefix}}*`)).toBe(`{${prefix}}:${key}`);
    await store.close();
  });

  it('if the data is lost while the store is open, every call is a fault, never "unknown", until migrate is called', async () => {
    const prefix = randomUUID();
    const store = open(prefix);
    await insert(store, aToken('t1'));
    await cli('FLUSHALL');
    expect(await refusal(store.findToken('t1'))).toMatchObject({ code: 'store_invalid' });
    expect(await refusal(insert(store, aToken('t2')))).toMatchObject({ code: 'store_invalid' });
    expect(await refusal(store.recordUsage([aUsage('t1', 1)]))).toMatchObject({ code: 'store_invalid' });
    expect(await cli('DBSIZE')).toBe('0');
    expect(await store.migrate()).toMatchObject({ from: 0, to: 1 });
    expect(await store.findToken('t1')).toBe(null);
    await store.close();
  });

  it('a server that drops keys when it is full is refused, and works once the setting is corrected', async () => {
    const prefix = randomUUID();
    const store = open(prefix);
    await cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    for (const dryRun of [true, false]) {
      const { code, message } = await refusal(store.migrate({ dryRun }));
      expect(code).toBe('store_invalid');
      expect(message).toContain('maxmemory-policy allkeys-lru');
    }
    expect(await cli('KEYS', `{${prefix}}*`)).toBe('');
    // Drops only keys with a time to live. Ours have none.
    await cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-lru');
    expect(await store.findToken('t1')).toBe(null);
    await store.close();
  });

  it('a user with only the documented rights works, also without CONFIG and INFO', async () => {
    const prefix = randomUUID();
    const rights = [
      `~{${prefix}}:*`,
      `&{${prefix}}:*`,
      '+@read',
      '+@write',
      '+@scripting',
      '+@pubsub',
      '+@connection',
      '+time',
    ];
    await cli('ACL', 'SETUSER', prefix, 'on', '>secret', ...rights, '-info', '-config');
    const client = new Redis({ port, username: prefix, password: 'secret', enableReadyCheck: false });
    const store = redisStore({ client, prefix });
    const told: string[] = [];
    store.subscribe?.(({ kind }) => told.push(kind));
    await insert(store, aToken('t1'));
    await store.recordUsage([aUsage('t1', 1, { a: 1 })]);
    expect(await store.confirm?.(5_000)).toEqual({ acknowledged: 1, missing: 0 });
    expect(told).toEqual(['restored']);
    await store.close();
    client.disconnect();
  });

  it('a user that may not publish is refused before anything is written', async () => {
    const prefix = randomUUID();
    await cli('ACL', 'SETUSER', prefix, 'on', '>secret', '~*', 'resetchannels', '+@all');
    const client = new Redis({ port, username: prefix, password: 'secret' });
    const store = redisStore({ client, prefix });
    expect(await refusal(insert(store, aToken('t1')))).toMatchObject({
      code: 'store_invalid',
      message: expect.stringContaining(`&{${prefix}}:*`),
    });
    expect(await cli('KEYS', `{${prefix}}*`)).toBe('');
    await store.close();
    client.disconnect();
  });

  it('a full server refuses changes completely, and still reads', async () => {
    const prefix = randomUUID();
    const store = open(prefix);
    await insert(store, aToken('t1'));
    await cli('CONFIG', 'SET', 'maxmemory', '1');
    try {
      const error = await insert(store, aToken('t2')).catch((reason: unknown) => reason);
      expect(String(error)).toContain('OOM');
      expect(isPosternError(error)).toBe(false);
      expect(await store.findToken('t2')).toBe(null);
      expect((await store.listChanges({ organization: null, limit: 10 })).length).toBe(1);
      expect((await store.findToken('t1'))?.id).toBe('t1');
    } finally {
      await cli('CONFIG', 'SET', 'maxmemory', '0');
    }
    await insert(store, aToken('t2'));
    await store.close();
  });

  it('scripts that the server has lost are sent again', async () => {
    const store = open(randomUUID());
    await insert(store, aToken('t1'));
    await cli('SCRIPT', 'FLUSH', 'SYNC');
    expect((await store.findToken('t1'))?.id).toBe('t1');
    await cli('SCRIPT', 'FLUSH', 'SYNC');
    await insert(store, aToken('t2'));
    await store.close();
  });

  it('a record that was changed by hand affects no other record', async () => {
    const prefix = randomUUID();
    const store = open(prefix);
    for (const id of ['t1', 't2', 't3', 't4']) await insert(store, aToken(id, { createdAt: Number(id[1]) }));
    const key = `{${prefix}}:tokens`;
    await cli('HSET', key, 't1', 'rubbish');
    await cli('HDEL', key, 't2');
    await cli('HSET', `{${prefix}}:used`, 't3', 'never');
    const listed = await store.listTokens({ organization: 'acme', limit: 10 });
    expect(listed.map(({ id }) => id)).toEqual(['t4', 't3', 't1']);
    expect(listed[0]).toEqual(aToken('t4', { createdAt: 4 }));
    expect(listed[1]?.lastUsedAt).toBeNaN();
    expect(listed[2]).toMatchObject({ id: 't1', createdAt: 1 });
    expect(listed[2]).not.toHaveProperty('types');
    expect(
      await store.listTokens({ organization: 'acme', search: 'token', type: 'developer', limit: 10 }),
    ).toHaveLength(2);
    expect(await store.findToken('t1')).not.toHaveProperty('expiresAt');
    await store.close();
  });
});
