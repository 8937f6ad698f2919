import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { type RedisStore, redisStore } from 'postern/stores/redis';
import { afterAll, describe, expect, it } from 'vitest';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  anEndpoint,
  anEntry,
  aSecret,
  asRead,
  aToken,
  insert,
  next,
  replace,
  T0,
} from '../../src/testing/store-cases/case.js';
import { refusal } from '../support/instance.js';
import { useRedis } from '../support/redis-server.js';
import { fillVersion1, fillVersion1With, ODD } from './redis-version-1.js';
import { refused, unrulyClient, well } from './unruly-redis.js';

const server = await useRedis(['--save', '']);

describe('a database of version 1', () => {
  const { url, port } = server;
  const redis = new Redis(port);
  afterAll(() => redis.quit());
  const key = (prefix: string, name: string) => `{${prefix}}:${name}`;
  const isUnfinished = async (prefix: string) => (await redis.exists(key(prefix, 'upgrade'))) === 1;

  /** Each token must stand in each of its places, and nothing else may stand anywhere. */
  async function expectInPlace(prefix: string): Promise<void> {
    const tokens = Object.entries(await redis.hgetall(key(prefix, 'tokens')));
    const places = tokens.flatMap(([id, stored]) => {
      const parts = (stored.split('\n')[2] as string).split('\t');
      expect(parts.filter((part) => part.startsWith('w[')).length, id).toBe(1);
      return parts.map((part) => `${part}${id}`);
    });
    expect((await redis.zrange(key(prefix, 'index'), 0, '-1')).sort()).toEqual(places.sort());
  }

  /** What is listed and counted by ownership must be what is found when all is read. */
  async function expectOwnershipsRight(store: RedisStore): Promise<void> {
    const all = await store.listTokens({ organization: 'acme', limit: 10_000 });
    for (const ownership of ['personal', 'organization'] as const) {
      const theirs = all.filter((token) => token.ownership === ownership);
      expect(theirs.length).toBeGreaterThan(0);
      expect(await store.listTokens({ organization: 'acme', ownership, limit: 10_000 })).toEqual(theirs);
      expect(await store.countTokens({ organization: 'acme', ownership }, 1)).toBe(theirs.length);
      const page = { organization: 'acme', ownership, offset: 1, limit: 2 };
      expect(await store.listTokens(page)).toEqual(theirs.slice(1, 3));
    }
    expect(await store.countTokens({ organization: 'acme' }, 1)).toBe(all.length);
  }

  it('is upgraded with all that it holds, and works on; migrate says what it does, or would do, and does it once', async () => {
    const prefix = randomUUID();
    await fillVersion1(port, prefix);
    const store = redisStore({ url, prefix });
    const made = {
      from: 1,
      to: 2,
      statements: [
        `SET {${prefix}}:schema 2`,
        `for each token: ZADD {${prefix}}:index 0 w["<organization>","<ownership>"]:<createdAt><id>`,
      ],
    };
    const before = await redis.hgetall(key(prefix, 'tokens'));
    expect(await store.migrate({ dryRun: true })).toEqual(made);
    expect(await redis.get(key(prefix, 'schema'))).toBe('1');
    expect(await redis.hgetall(key(prefix, 'tokens'))).toEqual(before);
    expect(await store.migrate()).toEqual(made);
    expect(await store.migrate()).toEqual({ from: 2, to: 2, statements: [] });
    await expectInPlace(prefix);

    const t1 = aToken('t1', { lastUsedAt: T0 + 20 });
    const t2 = next(
      aToken('t2', { ownership: 'organization', owner: null, createdAt: T0 + 1, updatedAt: T0, expiresAt: T0 + 5 }),
    );
    const t3 = next(
      aToken('t3', {
        ownership: 'organization',
        organization: ODD,
        owner: ODD,
        name: ODD,
        createdAt: T0 + 2,
        lastUsedAt: T0 + 9,
      }),
      { description: ODD },
    );
    expect(await store.listTokens({ organization: null, limit: 10 })).toEqual([t3, t2, t1]);
    expect(await store.listTokens({ organization: ODD, ownership: 'organization', limit: 10 })).toEqual([t3]);
    expect(await store.listTokens({ organization: ODD, ownership: 'personal', limit: 10 })).toEqual([]);
    expect(await store.listTokens({ organization: 'acme', ownership: 'organization', limit: 10 })).toEqual([t2]);
    expect(await store.listTokens({ organization: 'acme', ownership: 'personal', limit: 10 })).toEqual([t1]);
    const counts = [
      [{ organization: null }, 3],
      [{ organization: 'acme' }, 2],
      [{ organization: 'acme', ownership: 'personal' }, 1],
      [{ organization: 'acme', ownership: 'organization' }, 1],
      [{ organization: ODD, ownership: 'organization' }, 1],
      [{ organization: ODD, ownership: 'personal' }, 0],
    ] as const;
    for (const [filter, count] of counts)
      expect(await store.countTokens(filter, 1), JSON.stringify(filter)).toBe(count);
    expect((await store.findTokenByDigest([aDigest('t2')]))?.secret).toEqual(asRead(aSecret('t2', { endsAt: T0 + 8 })));
    expect((await store.findTokenByDigest([aDigest('t2 second')]))?.token).toEqual(t2);
    expect((await store.findTokenByDigest([aDigest('t3')]))?.secret.pepper).toBe('1');
    expect(await store.findTokenByDigest([aDigest('t4')])).toBe(null);
    expect((await store.listUsage('t1')).map(({ endpoint, count }) => [endpoint, count])).toEqual([
      ['', 1],
      ['a', 3],
    ]);
    expect(await store.findEndpoint('acme', 'a')).toEqual(anEndpoint('a'));
    expect(await store.listChanges({ organization: null, limit: 100 })).toHaveLength(8);
    expect(await store.listExpiredTokens('acme', T0 + 5, 10)).toEqual(['t2']);
    await store.close();
  });

  it('old secrets have no key; a rotation gives one, which goes with the token like the old secrets', async () => {
    const prefix = randomUUID();
    await fillVersion1(port, prefix);
    const store = redisStore({ url, prefix });
    expect(await store.findTokenByKeyId([aKeyId('t1'), aDigest('t1')])).toBe(null);
    const t2 = (await store.findToken('t2')) as NonNullable<Awaited<ReturnType<typeof store.findToken>>>;
    const rotation = { secret: aSecret('third', { key: aKey('third') }), othersEndAt: T0 + 3 };
    expect(await store.replaceToken(next(t2), 2, rotation, aChange('token.rotated', 't2'))).toBe(true);
    const found = await store.findTokenByKeyId([aKeyId('third')]);
    expect([found?.token.id, found?.publicKey]).toEqual(['t2', aKey('third').publicKey]);
    for (const old of ['t2', 't2 second']) {
      expect((await store.findTokenByDigest([aDigest(old)]))?.secret.endsAt).toBe(T0 + 3);
    }
    expect(await store.deleteToken('t2', aChange('token.deleted', 't2'))).toBe(true);
    expect(await redis.hlen(key(prefix, 'keyids'))).toBe(0);
    expect((await redis.hkeys(key(prefix, 'secrets'))).sort()).toEqual([aDigest('t1'), aDigest('t3')]);
    expect(await store.putEntry(anEntry('e1'), 0, T0)).toBe(true);
    await store.migrate();
    await expectInPlace(prefix);
    await store.close();
  });

  it('everything works while its upgrade is under way; who finds one that nobody goes on with does so', async () => {
    const prefix = randomUUID();
    await fillVersion1With(port, prefix, 700);
    // As another process has begun it; nothing but this key stands between an upgrade and its end.
    await redis.set(key(prefix, 'schema'), '2');
    await redis.lpush(key(prefix, 'upgrade'), 'this can not be gone on with');
    const store = redisStore({ url, prefix });
    await insert(store, aToken('fresh', { createdAt: T0 + 5_000 }));
    expect(await replace(store, next((await store.findToken('m0004')) as never, { name: 'changed' }), 1)).toBe(true);
    expect(await store.deleteToken('m0005', aChange('token.deleted', 'm0005'))).toBe(true);
    await expectOwnershipsRight(store);
    expect(await store.countTokens({ organization: 'acme', ownership: 'organization' }, 1)).toBe(349);
    await expect(store.migrate()).rejects.toThrow('WRONGTYPE');
    expect(await isUnfinished(prefix)).toBe(true);
    await redis.set(key(prefix, 'upgrade'), '[a:');
    await expectOwnershipsRight(store);
    await expect.poll(() => isUnfinished(prefix)).toBe(false);
    await expectInPlace(prefix);
    await expectOwnershipsRight(store);
    await store.close();
  });

  it('whatever call comes first begins its upgrade, and waits for no more than that', async () => {
    const prefix = randomUUID();
    await fillVersion1With(port, prefix, 1_000);
    const store = redisStore({ url, prefix });
    expect((await store.findTokenByDigest(['7'.padStart(64, '0')]))?.token.id).toBe('m0007');
    await expect.poll(() => isUnfinished(prefix)).toBe(false);
    await expectInPlace(prefix);
    await store.close();
  });

  it('ten processes that open it at once, and change it meanwhile, upgrade it once and whole', async () => {
    const prefix = randomUUID();
    const COUNT = 1_500;
    await fillVersion1With(port, prefix, COUNT);
    const stores = Array.from({ length: 10 }, () => redisStore({ url, prefix }));
    const work = stores.map(async (store, mine) => {
      const migrating = store.migrate();
      for (let index = mine; index < COUNT; index += 40) {
        const id = `m${String(index).padStart(4, '0')}`;
        const token = await store.findToken(id);
        if (token === null) throw new Error(`${id} is not there`);
        if (index % 3 === 0) await store.deleteToken(id, aChange('token.deleted', id));
        else await replace(store, next(token, index % 3 === 1 ? { ownership: 'personal' } : { expiresAt: T0 }), 1);
        await insert(store, aToken(`n${index}`, { createdAt: T0 + index, ownership: 'organization' }));
      }
      return migrating;
    });
    for (const { from } of await Promise.all(work)) expect(from).toBe(1);
    expect(await isUnfinished(prefix)).toBe(false);
    await expectInPlace(prefix);
    await expectOwnershipsRight(stores[0] as RedisStore);
    for (const store of stores) await store.close();
  });

  it('an upgrade that broke off in the middle is gone on with where it was', async () => {
    const prefix = randomUUID();
    await fillVersion1With(port, prefix, 1_000);
    const client = unrulyClient(port);
    const broken = redisStore({ client, prefix });
    client.meet(...Array(6).fill(well), refused);
    await expect(broken.migrate()).rejects.toThrow('connection was lost');
    const at = await redis.get(key(prefix, 'upgrade'));
    expect(at).toMatch(/^\(a:.*m0[1-9]99$/);
    const store = redisStore({ url, prefix });
    expect(await store.migrate({ dryRun: true })).toMatchObject({ from: 1, to: 2 });
    expect(await redis.get(key(prefix, 'upgrade'))).toBe(at);
    expect((await store.migrate()).statements).toEqual([
      `for each token: ZADD {${prefix}}:index 0 w["<organization>","<ownership>"]:<createdAt><id>`,
    ]);
    await expectInPlace(prefix);
    await expectOwnershipsRight(store);
    expect(await broken.migrate()).toEqual({ from: 2, to: 2, statements: [] });
    await Promise.all([store.close(), broken.close()]);
    client.disconnect();
  });

  it('a store that is closed does not go on with it, and says that it was closed', async () => {
    const prefix = randomUUID();
    await fillVersion1With(port, prefix, 1_000);
    const client = unrulyClient(port);
    const store = redisStore({ client, prefix });
    const migrating = refusal(store.migrate());
    while ((await redis.get(key(prefix, 'upgrade'))) === null);
    await store.close();
    const { calls } = client;
    expect(await migrating).toMatchObject({ code: 'closed' });
    const other = redisStore({ url, prefix });
    await other.migrate();
    expect(client.calls).toBe(calls);
    await expectInPlace(prefix);
    await other.close();
    client.disconnect();
  });

  it('tokens whose records were spoilt by hand are left as they are, and do not stop it', async () => {
    const prefix = randomUUID();
    await fillVersion1With(port, prefix, 5);
    await redis.hset(key(prefix, 'tokens'), 'm0001', 'rubbish', 'm0002', '1\nd\n\n{}', 'm0003', '');
    await redis.hdel(key(prefix, 'tokens'), 'm0004');
    const store = redisStore({ url, prefix });
    expect(await store.migrate()).toMatchObject({ from: 1, to: 2 });
    expect(await redis.hmget(key(prefix, 'tokens'), 'm0001', 'm0002', 'm0003')).toEqual(['rubbish', '1\nd\n\n{}', '']);
    expect(await store.countTokens({ organization: 'acme', ownership: 'personal' }, 1)).toBe(1);
    await store.close();
  });

  it('a backup of it that is put in under an open store is a fault, until someone decides to upgrade it', async () => {
    const prefix = randomUUID();
    const store = redisStore({ url, prefix });
    await insert(store, aToken('t9'));
    await redis.flushall();
    await fillVersion1(port, prefix);
    for (const call of [() => store.findToken('t1'), () => insert(store, aToken('t8'))]) {
      const { code, message } = await refusal(call());
      expect(code).toBe('store_invalid');
      expect(message).toContain('older postern');
    }
    expect(await store.migrate()).toMatchObject({ from: 1, to: 2 });
    expect((await store.findToken('t1'))?.id).toBe('t1');
    await expectInPlace(prefix);
    await store.close();
  });
});
