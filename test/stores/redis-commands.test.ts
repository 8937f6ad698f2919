import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import type { Store } from 'postern/store';
import { redisStore } from 'postern/stores/redis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  aChange,
  aDigest,
  aKey,
  anEndpoint,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  insertToken,
  next,
  replace,
  T0,
} from '../../src/testing/store-cases/case.js';
import { eventually } from '../support/eventually.js';
import { redisCli, useRedis } from '../support/redis-server.js';
import { listen } from './listening.js';
import { answerLost, queued, refused, twice, unrulyClient, well } from './unruly-redis.js';

const server = await useRedis(['--save', '']);

describe('when the connection breaks', () => {
  const { port } = server;
  const ends: (() => unknown)[] = [];
  afterEach(async () => {
    vi.restoreAllMocks();
    for (const end of ends.splice(0)) await end();
  });
  /** An open store on a client whose commands meet what a test says. */
  async function open() {
    const client = unrulyClient(port);
    const prefix = randomUUID();
    const store = redisStore({ client, prefix });
    await store.migrate();
    ends.push(
      () => store.close(),
      () => client.disconnect(),
    );
    return { client, store, prefix };
  }
  /** The same, and a second store on it that gives up after 50 ms. */
  async function openHasty() {
    const opened = await open();
    const hasty = redisStore({ client: opened.client, prefix: opened.prefix, timeout: '50ms' });
    ends.unshift(() => hasty.close());
    await eventually(() => hasty.findToken('none'));
    return { ...opened, hasty };
  }
  const log = (store: Store) => store.listChanges({ organization: null, limit: 100 });

  it('a change that a client sends twice is made once, and succeeds', async () => {
    const { client, store, prefix } = await open();
    client.always(twice);
    const token = aToken('t1');
    const endpoint = anEndpoint('a');
    const made = [
      aChange('token.created', 't1', 'acme', { at: T0 + 1 }),
      aChange('token.rotated', 't1', 'acme', { at: T0 + 2 }),
      aChange('token.deleted', 't1', 'acme', { at: T0 + 3 }),
      aChange('endpoint.created', 'a', 'acme', { at: T0 + 4 }),
      aChange('endpoint.updated', 'a', 'acme', { at: T0 + 5 }),
      aChange('endpoint.deleted', 'a', 'acme', { at: T0 + 6 }),
    ] as const;
    expect(await insertToken(store, token, aSecret('first', { key: aKey('first') }), made[0])).toBe(true);
    await store.recordUsage([aUsage('t1', T0, { a: 5 })]);
    expect((await store.listUsage(['t1']))[0]?.count).toBe(10);
    const rotation = { secret: aSecret('second', { key: aKey('second') }), othersEndAt: T0, at: T0 };
    expect(await store.replaceToken(next(token), 1, rotation, made[1])).toBe(true);
    expect((await store.findToken('t1'))?.version).toBe(2);
    expect(await redisCli(port, 'HLEN', `{${prefix}}:keyids`)).toBe('2');
    const revoked = aChange('token.revoked', 't1', 'acme', { at: T0 });
    expect(await store.revokeToken('t1', T0 + 3, revoked)).toBe(true);
    expect(await store.findToken('t1')).toMatchObject({ revokedAt: T0 + 3, version: 3 });
    expect(await store.trimChanges(T0 + 1, 10)).toBeLessThanOrEqual(1);
    expect(await deleteToken(store, 't1', made[2])).toBe(true);
    expect(await redisCli(port, 'HLEN', `{${prefix}}:keyids`)).toBe('0');
    expect(await store.insertEndpoint(endpoint, made[3])).toBe(true);
    expect(await store.replaceEndpoint({ ...endpoint, version: 2 }, 1, made[4])).toBe(true);
    expect(await store.deleteEndpoint('acme', 'a', made[5])).toBe(true);
    expect(await log(store)).toEqual([...made].reverse());
    // What was refused is refused the second time too.
    expect(await deleteToken(store, 't1', aChange('token.deleted', 't1'))).toBe(false);
  });

  it('a token that is rotated often, and a log that is trimmed, leave no keys behind', async () => {
    const { store, prefix } = await open();
    let token = await insert(store, aToken('t1'), aSecret('first', { key: aKey('first') }));
    for (let index = 0; index < 40; index++) {
      const secret = aSecret(`${index}`, { key: aKey(`${index}`), createdAt: T0 + index });
      const rotation = { secret, othersEndAt: T0 + index, at: T0 + index };
      const rotated = next(token);
      expect(await store.replaceToken(rotated, token.version, rotation, aChange('token.rotated', 't1'))).toBe(true);
      token = rotated;
    }
    const size = (name: string, command = 'HLEN') => redisCli(port, command, `{${prefix}}:${name}`);
    expect(await Promise.all([size('secrets'), size('keyids')])).toEqual(['2', '2']);
    expect((await redisCli(port, 'HGET', `{${prefix}}:tokens`, 't1')).length).toBeLessThan(2_000);
    expect(await store.trimChanges(T0 + 1, 1_000)).toBe(41);
    expect(await Promise.all([size('changes'), size('log', 'ZCARD')])).toEqual(['0', '0']);
  });

  it('another change with the same id is an error, and is not made', async () => {
    const { store } = await open();
    const change = aChange('token.created', 't1');
    expect(await insertToken(store, aToken('t1'), aSecret('t1'), change)).toBe(true);
    const other = { ...change, subject: 't2' };
    await expect(insertToken(store, aToken('t2'), aSecret('t2'), other)).rejects.toThrow('another change of this id');
    expect(await store.findToken('t2')).toBe(null);
  });

  it('a change that waits in a queue until its caller has given up is not made', async () => {
    const { client, store, hasty } = await openHasty();
    const token = await insert(store, aToken('t1'));
    const changes: (() => Promise<unknown>)[] = [
      () => insert(hasty, aToken('t2')),
      () => replace(hasty, next(token), 1),
      () => hasty.revokeToken('t1', T0, aChange('token.revoked', 't1')),
      () => deleteToken(hasty, 't1', aChange('token.deleted', 't1')),
      () => hasty.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a')),
      () => hasty.recordUsage([aUsage('t1', T0, { a: 1 })]),
    ];
    for (const change of changes) {
      const waiting = queued();
      client.meet(waiting.fate);
      await expect(change()).rejects.toThrow('did not answer within 50 ms');
      expect(await waiting.release()).toEqual(['late', expect.any(String)]);
    }
    expect(await store.findToken('t1')).toEqual(token);
    expect(await store.findToken('t2')).toBe(null);
    expect(await store.findEndpoint('acme', 'a')).toBe(null);
    expect(await store.listUsage(['t1'])).toEqual([]);
    expect(await log(store)).toHaveLength(1);
  });

  it('a change is made even if the clock of the server was set forward, or another server took over', async () => {
    const { store } = await open();
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() - 3_600_000);
    await insert(store, aToken('t1'));
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 3_600_000);
    await insert(store, aToken('t2'));
    vi.restoreAllMocks();
    await insert(store, aToken('t3'));
    expect(await log(store)).toHaveLength(3);
  });

  it('a read rejects at its timeout, and the next one works', async () => {
    const { client, store, hasty } = await openHasty();
    await insert(store, aToken('t1'));
    client.meet(() => new Promise(() => {}));
    await expect(hasty.findToken('t1')).rejects.toThrow('did not answer within 50 ms');
    expect((await eventually(() => hasty.findToken('t1')))?.id).toBe('t1');
  });

  it('nothing is sent to a client that has been without a connection for long', async () => {
    const { client, store, hasty } = await openHasty();
    await insert(store, aToken('t1'));
    client.status = 'reconnecting';
    client.always(() => new Promise(() => {}));
    await expect(hasty.findToken('t1')).rejects.toThrow('did not answer');
    const { calls } = client;
    for (let index = 0; index < 100; index++) await expect(hasty.findToken('t1')).rejects.toThrow('can not be reached');
    expect(client.calls).toBe(calls);
    client.status = 'ready';
    client.always(well);
    expect((await eventually(() => hasty.findToken('t1')))?.id).toBe('t1');
  });

  it('listeners are told of a change whose reply was lost, because it may have been made', async () => {
    const { client, store } = await open();
    const feed = listen(store);
    const token = await insert(store, aToken('t1'));
    await feed.next('restored');
    client.meet(answerLost);
    await expect(replace(store, next(token, { name: 'changed' }), 1)).rejects.toThrow('connection was lost');
    expect(feed.told).toContainEqual({ kind: 'token', id: 't1' });
    expect((await store.findToken('t1'))?.name).toBe('changed');
  });

  it('listeners are told of a change that is made only after its caller was told that it failed', async () => {
    const { client, store } = await open();
    const feed = listen(store);
    const token = await insert(store, aToken('t1'));
    await feed.next('restored');
    const sent = queued();
    client.meet((send) => {
      void sent.fate(send);
      return refused();
    });
    await expect(replace(store, next(token), 1)).rejects.toThrow('connection was lost');
    feed.told.length = 0;
    expect(await sent.release()).toEqual(['done', expect.any(String), ['1']]);
    expect(await feed.next('token')).toEqual({ kind: 'token', id: 't1' });
  });

  it('no error holds a record, a digest or the command', async () => {
    const { client, store } = await open();
    const canary = 'canary-0f1e2d3c';
    const failing = (digest: string) => async () => {
      throw Object.assign(new Error('ERR it failed'), { command: { name: 'evalsha', args: [digest, canary] } });
    };
    client.always(failing(aDigest('t1')));
    for (const call of [
      () => insert(store, aToken('t1', { name: canary })),
      () => store.findTokenByDigest([aDigest('t1')]),
      () => store.findTokenByKeyId([aDigest('t1')]),
      () => store.putEntry(anEntry('e1', { value: canary }), 0, T0),
    ]) {
      const error = await call().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9, showHidden: true }).split('\n    at ')[0]).toContain('ERR it failed');
      expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(new RegExp(`${canary}|${aDigest('t1')}`));
    }
    client.always(well);
  });

  it('uses are written in parts; a part whose reply was lost may count twice, and none is lost', async () => {
    const { client, store } = await open();
    const ids = Array.from({ length: 1_200 }, (_, index) => `t${index}`);
    await Promise.all(ids.map((id) => insert(store, aToken(id))));
    const batch = ids.map((id) => aUsage(id, T0, { a: 1, b: 2 }));
    client.meet(well, answerLost);
    await expect(store.recordUsage(batch)).rejects.toThrow('connection was lost');
    await store.recordUsage(batch);
    const counts = await Promise.all(ids.map(async (id) => (await store.listUsage([id])).map(({ count }) => count)));
    // Parts of 500: two were written before.
    expect(counts).toEqual(ids.map((_, index) => (index < 1_000 ? [2, 4] : [1, 2])));
  });
});
