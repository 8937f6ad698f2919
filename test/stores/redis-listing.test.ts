import { randomUUID } from 'node:crypto';
import { redisStore } from 'postern/stores/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aChange, anEndpoint, aToken, insert, next, replace, T0 } from '../../src/testing/store-cases/case.js';
import { redisCli, useRedis } from '../support/redis-server.js';

const server = await useRedis(['--save', '']);

describe.skipIf(server === null)('listings', () => {
  if (server === null) return;
  const { url, port } = server;

  it('a token stands where it belongs after each change, and nowhere else', async () => {
    const prefix = randomUUID();
    const store = redisStore({ url, prefix });
    const ids = async (organization: string | null, owner?: string) =>
      (await store.listTokens({ organization, limit: 10, ...(owner !== undefined && { owner }) })).map(({ id }) => id);
    const places = () => redisCli(port, 'ZCARD', `{${prefix}}:index`);
    let token = await insert(store, aToken('t1', { expiresAt: T0 }));
    expect([await ids('acme'), await ids('acme', 'ada'), await ids(null, 'ada'), await places()]).toEqual([
      ['t1'],
      ['t1'],
      ['t1'],
      '5',
    ]);
    const change = async (fields: Parameters<typeof next>[1]) => {
      const changed = next(token, fields);
      expect(await replace(store, changed, token.version)).toBe(true);
      token = changed;
    };
    await change({ organization: 'umbrella' });
    expect([await ids('acme'), await ids('acme', 'ada'), await ids('umbrella', 'ada')]).toEqual([[], [], ['t1']]);
    expect(await store.listExpiredTokens('acme', T0, 10)).toEqual([]);
    expect(await store.listExpiredTokens('umbrella', T0, 10)).toEqual(['t1']);
    await change({ owner: null });
    expect([await ids('umbrella', 'ada'), await ids('umbrella'), await places()]).toEqual([[], ['t1'], '4']);
    await change({ expiresAt: T0 + 5 });
    expect(await store.listExpiredTokens(null, T0 + 4, 10)).toEqual([]);
    expect(await store.listExpiredTokens(null, T0 + 5, 10)).toEqual(['t1']);
    await change({ expiresAt: null });
    expect(await store.listExpiredTokens(null, T0 + 5, 10)).toEqual([]);
    expect(await places()).toBe('2');
    await store.deleteToken('t1', aChange('token.deleted', 't1'));
    expect(await places()).toBe('0');
    await store.close();
  });

  describe('that are longer than what one script reads', () => {
    const store = redisStore({ url, prefix: randomUUID() });
    const COUNT = 1_300;
    const ids = Array.from({ length: COUNT }, (_, index) => `t${String(index).padStart(4, '0')}`);
    const newest = [...ids].reverse();
    beforeAll(() =>
      Promise.all(
        ids.map(async (id, index) => {
          const token = aToken(id, {
            createdAt: T0 + Math.floor(index / 7),
            name: index % 400 === 0 ? 'rare' : 'frequent',
            typeNames: index % 2 === 0 ? ['even'] : ['odd'],
            owner: index % 400 === 0 ? 'ada' : 'bob',
          });
          const at = aChange('token.created', id, 'acme', { at: T0 + index });
          expect(
            await store.insertToken(token, { digest: id.slice(1), pepper: null, createdAt: 0, endsAt: null }, at),
          ).toBe(true);
          const named = aChange('endpoint.created', id, 'acme', { at: T0 - 1 - index });
          expect(await store.insertEndpoint(anEndpoint(id), named)).toBe(true);
        }),
      ),
    );
    afterAll(() => store.close());

    it.each([COUNT, COUNT + 1, 500, 501, 1_000, 200])('tokens: %i at once', async (limit) => {
      const found = await store.listTokens({ organization: 'acme', limit });
      expect(found.map(({ id }) => id)).toEqual(newest.slice(0, limit));
    });

    it('tokens: few of many, by name, type and owner', async () => {
      const rare = newest.filter((id) => Number(id.slice(1)) % 400 === 0);
      const found = async (query: object) =>
        (await store.listTokens({ organization: null, limit: 2_000, ...query })).map(({ id }) => id);
      expect(await found({ search: 'RARE' })).toEqual(rare);
      expect(await found({ owner: 'ada' })).toEqual(rare);
      expect(await found({ organization: 'acme', owner: 'ada', limit: 2 })).toEqual(rare.slice(0, 2));
      expect(await found({ type: 'odd' })).toHaveLength(COUNT / 2);
      const after = { createdAt: T0 + Math.floor(1_200 / 7), id: 't1200' };
      expect(await found({ search: 'rare', after, limit: 1 })).toEqual(['t0800']);
    });

    it('changes: all, and few of many', async () => {
      const all = await store.listChanges({ organization: 'acme', limit: 5_000 });
      expect(all.map(({ subject, type }) => `${type} ${subject}`)).toEqual([
        ...newest.map((id) => `token.created ${id}`),
        ...ids.map((id) => `endpoint.created ${id}`),
      ]);
      const endpoints = await store.listChanges({ organization: null, type: 'endpoint.created', limit: 3 });
      expect(endpoints.map(({ subject }) => subject)).toEqual(ids.slice(0, 3));
    });

    it('endpoints', async () => {
      const found = async (limit: number, after?: string) =>
        (await store.listEndpoints({ organization: 'acme', limit, ...(after !== undefined && { after }) })).map(
          ({ id }) => id,
        );
      expect(await found(5_000)).toEqual(ids);
      expect(await found(600, 't0100')).toEqual(ids.slice(101, 701));
    });
  });
});
