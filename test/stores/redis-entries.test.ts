import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { redisStore } from 'postern/stores/redis';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { anEntry, aToken, aUsage, insert, T0 } from '../../src/testing/store-cases/case.js';
import { eventually } from '../support/eventually.js';
import { useRedis } from '../support/redis-server.js';
import { answerLost, queued, refused, twice, unrulyClient, well } from './unruly-redis.js';

const server = await useRedis(['--save', '']);

describe('entries', () => {
  const { port } = server;
  const redis = new Redis(port);
  afterAll(() => redis.quit());
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  async function open() {
    const client = unrulyClient(port);
    const prefix = randomUUID();
    const store = redisStore({ client, prefix });
    await store.migrate();
    ends.push(
      () => store.close(),
      () => client.disconnect(),
    );
    return { client, store, prefix, key: (name: string) => `{${prefix}}:${name}` };
  }

  it('a write that a client sends twice is made once, and succeeds', async () => {
    const { client, store } = await open();
    client.always(twice);
    const entry = anEntry('e1', { expiresAt: T0 + 5 });
    expect(await store.putEntry(entry, 0, T0)).toBe(true);
    expect(await store.putEntry({ ...entry, version: 2 }, 1, T0)).toBe(true);
    expect(await store.findEntry('login', 'e1', T0)).toEqual({ ...entry, version: 2 });
    expect(await store.deleteEntry('login', 'e1', 2, T0)).toBe(true);
    // What was refused is refused the second time too.
    expect(await store.deleteEntry('login', 'e1', 2, T0)).toBe(false);
    expect(await store.putEntry(entry, 1, T0)).toBe(false);
  });

  it('a write that waits in a queue until its caller has given up is not made', async () => {
    const { client, store, prefix } = await open();
    const hasty = redisStore({ client, prefix, timeout: '50ms' });
    ends.unshift(() => hasty.close());
    await eventually(() => hasty.findEntry('login', 'none', T0));
    expect(await store.putEntry(anEntry('e1'), 0, T0)).toBe(true);
    const writes = [
      () => hasty.putEntry(anEntry('e2'), 0, T0),
      () => hasty.putEntry(anEntry('e1', { version: 2 }), 1, T0),
      () => hasty.deleteEntry('login', 'e1', 1, T0),
    ];
    for (const write of writes) {
      const waiting = queued();
      client.meet(waiting.fate);
      await expect(write()).rejects.toThrow('did not answer within 50 ms');
      expect(await waiting.release()).toEqual(['late', expect.any(String)]);
    }
    expect(await store.findEntry('login', 'e1', T0)).toEqual(anEntry('e1'));
    expect(await store.findEntry('login', 'e2', T0)).toBe(null);
  });

  it('a write without a reply rejects, whether it was made or not', async () => {
    const { client, store } = await open();
    for (const fate of [answerLost, refused]) {
      client.meet(fate);
      await expect(store.putEntry(anEntry('e1'), 0, T0)).rejects.toThrow('connection was lost');
      client.meet(fate);
      await expect(store.findEntry('login', 'e1', T0)).rejects.toThrow('connection was lost');
      client.meet(fate);
      await expect(store.deleteEntry('login', 'e1', 1, T0)).rejects.toThrow('connection was lost');
    }
    client.always(well);
    expect(await store.findEntry('login', 'e1', T0)).toBe(null);
  });

  it('the name of a write is kept until its caller gives up, and no longer', async () => {
    const { store, key } = await open();
    await redis.zadd(key('recent'), 1, 'over', 9_000_000_000_000, 'under way');
    expect(await store.putEntry(anEntry('e1'), 0, T0)).toBe(true);
    expect(await redis.zscore(key('recent'), 'over')).toBe(null);
    expect(await redis.zcard(key('recent'))).toBe(2);
    expect(await store.putEntry(anEntry('e1'), 0, T0)).toBe(false);
    expect(await redis.zcard(key('recent'))).toBe(2);
  });

  it('later writes remove entries that ended minutes ago, a few at a time, and keep the others', async () => {
    const { store, key } = await open();
    const MINUTES = 300_000;
    for (let index = 0; index < 40; index++) {
      await store.putEntry(anEntry(`old${index}`, { expiresAt: T0 + 1 }), 0, T0);
    }
    await store.putEntry(anEntry('stays'), 0, T0);
    await store.putEntry(anEntry('recent', { expiresAt: T0 + 1_000 }), 0, T0);
    await store.putEntry(anEntry('old39', { version: 2 }), 1, T0);
    await store.putEntry(anEntry('old38', { version: 2, expiresAt: T0 + 1_000_000 }), 1, T0);
    expect(await redis.hlen(key('entries'))).toBe(42);
    const left: number[] = [];
    for (let index = 0; index < 4; index++) {
      const later = anEntry(`later${index}`, { expiresAt: T0 + 2_000_000 });
      expect(await store.putEntry(later, 0, T0 + 1 + MINUTES)).toBe(true);
      left.push(await redis.hlen(key('entries')));
    }
    // One more with each, sixteen fewer as long as there are so many.
    expect(left).toEqual([27, 12, 7, 8]);
    expect((await redis.hkeys(key('entries'))).sort()).toEqual(
      ['later0', 'later1', 'later2', 'later3', 'old38', 'old39', 'recent', 'stays'].map((id) => `login:${id}`),
    );
    expect((await redis.zrange(key('ends'), 0, '-1')).sort()).toEqual(
      ['later0', 'later1', 'later2', 'later3', 'old38', 'recent'].map((id) => `login:${id}`),
    );
    expect(await store.deleteEntry('login', 'old38', 2, T0)).toBe(true);
    expect(await redis.zscore(key('ends'), 'login:old38')).toBe(null);
  });

  it('a caller with a clock far ahead removes no entry that has not ended by the clock of Redis', async () => {
    const { store } = await open();
    const entry = anEntry('e1', { expiresAt: Date.now() + 3_600_000 });
    expect(await store.putEntry(entry, 0, Date.now())).toBe(true);
    const wild = Date.now() + 1_000 * 86_400_000;
    expect(await store.findEntry('login', 'e1', wild)).toBe(null);
    expect(await store.putEntry(anEntry('e2'), 0, wild)).toBe(true);
    expect(await store.findEntry('login', 'e1', Date.now())).toEqual(entry);
  });

  it('no key has a time to live, so a server that drops such keys early drops none of ours', async () => {
    const { store, key } = await open();
    await insert(store, aToken('t1'));
    await store.recordUsage([aUsage('t1', T0, { a: 1 })]);
    await store.putEntry(anEntry('e1', { expiresAt: Date.now() + 60_000 }), 0, Date.now());
    const keys = await redis.keys(key('*'));
    expect(keys).toContain(key('entries'));
    for (const each of keys) expect(await redis.ttl(each), each).toBe(-1);
  });

  it.each(['rubbish', '', '1\n', 'x\n-\nvalue', '1\nsoon\nvalue'])(
    'an entry that was changed by hand to %j is a fault, never "absent", and is not overwritten',
    async (spoilt) => {
      const { store, key } = await open();
      expect(await store.putEntry(anEntry('e1'), 0, T0)).toBe(true);
      await redis.hset(key('entries'), 'login:e1', spoilt);
      await expect(store.findEntry('login', 'e1', T0)).rejects.toThrow('e1 of login');
      for (const expected of [0, 1]) expect(await store.putEntry(anEntry('e1'), expected, T0)).toBe(false);
      expect(await store.deleteEntry('login', 'e1', 1, T0)).toBe(false);
      expect(await redis.hget(key('entries'), 'login:e1')).toBe(spoilt);
    },
  );
});
