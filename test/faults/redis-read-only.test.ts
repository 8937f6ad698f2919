import { Redis } from 'ioredis';
import { createPostern } from 'postern';
import { type RedisClient, redisStore } from 'postern/stores/redis';
import { createClient } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { aChange, aToken, insert, next, replace } from '../../src/testing/store-cases/case.js';
import { eventually } from '../support/eventually.js';
import { startProxy } from '../support/proxy.js';
import { redisCli, useRedis } from '../support/redis-server.js';

const first = await useRedis(['--save', '', '--repl-diskless-sync-delay', '0']);
const second = await useRedis(['--save', '', '--repl-diskless-sync-delay', '0']);
const types = { developer: { scopes: ['models:write'] } } as const;

const KINDS = [
  ['its own client', (port: number) => ({ url: `redis://127.0.0.1:${port}` })],
  [
    'a client of ioredis',
    (port: number) => {
      const client = new Redis(port);
      return { client, end: () => client.disconnect() };
    },
  ],
  [
    'a client of node-redis',
    (port: number) => {
      const client = createClient({ url: `redis://127.0.0.1:${port}` });
      return { client: client as RedisClient, end: () => client.destroy() };
    },
  ],
] as const;

describe.each(KINDS)('a failover of Redis, with %s', (_, sourceFor) => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    for (const { port } of [first, second]) await redisCli(port, 'REPLICAOF', 'NO', 'ONE');
    for (const { port } of [first, second]) await redisCli(port, 'FLUSHALL');
  });
  function open(port: number) {
    const { end, ...source } = { end: () => {}, ...sourceFor(port) };
    const store = redisStore(source as Parameters<typeof redisStore>[0]);
    closing.push(end, () => store.close());
    return store;
  }
  /** The first server becomes a replica of the second, which has all its data. Connections stay open. */
  async function failOver() {
    await redisCli(second.port, 'REPLICAOF', '127.0.0.1', String(first.port));
    await eventually(async () => {
      const state = await redisCli(second.port, 'INFO', 'replication');
      expect(state).toContain('master_link_status:up');
      expect(await redisCli(second.port, 'HLEN', '{postern}:changes')).toBe(
        await redisCli(first.port, 'HLEN', '{postern}:changes'),
      );
    });
    await redisCli(second.port, 'REPLICAOF', 'NO', 'ONE');
    await redisCli(first.port, 'REPLICAOF', '127.0.0.1', String(second.port));
  }

  it('fails no write: the old connection leads to a replica, and a new one to the master', async () => {
    const proxy = await startProxy(first.port);
    closing.push(() => proxy.close());
    const store = open(proxy.port);
    const token = await insert(store, aToken('t1'));
    proxy.lead(second.port);
    await failOver();
    const others = Array.from({ length: 10 }, (_, index) => insert(store, aToken(`other${index}`)));
    expect(await replace(store, next(token), 1)).toBe(true);
    await Promise.all(others);
    expect(await store.revokeToken('t1', 5, aChange('token.revoked', 't1'))).toBe(true);
    expect(await store.findToken('t1')).toMatchObject({ revokedAt: 5, version: 3 });
    expect(await store.listChanges({ organization: null, subject: 't1', limit: 10 })).toHaveLength(3);
    expect(await redisCli(second.port, 'HLEN', '{postern}:changes')).toBe('13');
  });

  it('without a new master keeps reads working and refuses writes as unavailable, until there is one', async () => {
    const store = open(first.port);
    const postern = createPostern({ store, cache: false });
    const { token, record } = await postern.tokens.create({ name: 'ci', types });
    await failOver();
    for (let attempt = 0; attempt < 5; attempt++) {
      const [revocation] = await Promise.allSettled([
        postern.tokens.revoke(record.id),
        ...Array.from({ length: 20 }, async () =>
          expect(await postern.authenticate(token)).toMatchObject({ ok: true }),
        ),
      ]);
      expect(revocation).toMatchObject({ status: 'rejected', reason: { code: 'unavailable' } });
      expect(await postern.authenticate(token)).toMatchObject({ ok: true });
    }
    await redisCli(first.port, 'REPLICAOF', 'NO', 'ONE');
    await postern.tokens.revoke(record.id);
    expect(await postern.authenticate(token)).toEqual({ ok: false, reason: 'token_revoked' });
  });
});
