import { randomUUID } from 'node:crypto';
import { redisStore } from 'postern/stores/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  aChange,
  anEndpoint,
  aSecret,
  aToken,
  deleteToken,
  insert,
  insertToken,
  next,
  replace,
  T0,
} from '../../src/testing/store-cases/case.js';
import { redisCli, useRedis } from '../support/redis-server.js';
import { unrulyClient } from './unruly-redis.js';

const server = await useRedis(['--save', '']);

describe('listings', () => {
  const { url, port } = server;

  it('after each change a token is in exactly the right listings', async () => {
    const prefix = randomUUID();
    const store = redisStore({ url, prefix });
    const ids = async (organization: string | null, owner?: string) =>
      (await store.listTokens({ organization, limit: 10, ...(owner !== undefined && { owner }) })).map(({ id }) => id);
    const places = () => redisCli(port, 'ZCARD', `{${prefix}}:index`);
    const expired = async (organization: string | null, before: number, limit: number) =>
      (await store.listExpiredTokens(organization, before, limit)).map(({ id }) => id);
    let token = await insert(store, aToken('t1', { expiresAt: T0 }));
    expect([await ids('acme'), await ids('acme', 'ada'), await ids(null, 'ada'), await places()]).toEqual([
      ['t1'],
      ['t1'],
      ['t1'],
      '6',
    ]);
    const change = async (fields: Parameters<typeof next>[1]) => {
      const changed = next(token, fields);
      expect(await replace(store, changed, token.version)).toBe(true);
      token = changed;
    };
    await change({ organization: 'umbrella' });
    expect([await ids('acme'), await ids('acme', 'ada'), await ids('umbrella', 'ada')]).toEqual([[], [], ['t1']]);
    expect(await expired('acme', T0, 10)).toEqual([]);
    expect(await expired('umbrella', T0, 10)).toEqual(['t1']);
    await change({ owner: null });
    expect([await ids('umbrella', 'ada'), await ids('umbrella'), await places()]).toEqual([[], ['t1'], '5']);
    await change({ expiresAt: T0 + 5 });
    expect(await expired(null, T0 + 4, 10)).toEqual([]);
    expect(await expired(null, T0 + 5, 10)).toEqual(['t1']);
    await change({ expiresAt: null });
    expect(await expired(null, T0 + 5, 10)).toEqual([]);
    expect(await places()).toBe('3');
    await deleteToken(store, 't1', aChange('token.deleted', 't1'));
    expect(await places()).toBe('0');
    await store.close();
  });

  describe('that are longer than one script reads', () => {
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
            ownership: index % 3 === 0 ? 'organization' : 'personal',
          });
          const at = aChange('token.created', id, 'acme', { at: T0 + index });
          expect(await insertToken(store, token, aSecret(id, { digest: id.slice(1) }), at)).toBe(true);
          const named = aChange('endpoint.created', id, 'acme', { at: T0 - 1 - index });
          expect(await store.insertEndpoint(anEndpoint(id), named)).toBe(true);
        }),
      ),
    );
    afterAll(() => store.close());

    it.each([COUNT, COUNT + 1, 500, 501, 1_000, 200])('return a page of %i tokens', async (limit) => {
      const found = await store.listTokens({ organization: 'acme', limit });
      expect(found.map(({ id }) => id)).toEqual(newest.slice(0, limit));
    });

    it('return few of many tokens, by name, type and owner', async () => {
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

    it('return the tokens of one ownership', async () => {
      const personal = newest.filter((id) => Number(id.slice(1)) % 3 !== 0);
      const found = async (query: object) =>
        (await store.listTokens({ organization: 'acme', ownership: 'personal', limit: 2_000, ...query })).map(
          ({ id }) => id,
        );
      expect(await found({})).toEqual(personal);
      expect(await found({ type: 'even', limit: 300 })).toEqual(
        personal.filter((id) => Number(id.slice(1)) % 2 === 0).slice(0, 300),
      );
      expect(await found({ owner: 'ada' })).toEqual(['t0800', 't0400']);
      expect(await found({ organization: null, limit: 600 })).toEqual(personal.slice(0, 600));
    });

    it.each([0, 1, 199, 200, 201, 499, 500, 650, COUNT - 1, COUNT, COUNT + 1, 1e6])(
      'skip the first %i tokens, with any condition',
      async (offset) => {
        const skipped = async (query: object, fits: (index: number) => boolean) => {
          const ids = newest.filter((id) => fits(Number(id.slice(1))));
          const found = await store.listTokens({ organization: 'acme', offset, limit: 550, ...query });
          expect(found.map(({ id }) => id)).toEqual(ids.slice(offset, offset + 550));
        };
        await skipped({}, () => true);
        await skipped({ organization: null }, () => true);
        await skipped({ ownership: 'organization' }, (index) => index % 3 === 0);
        await skipped({ owner: 'bob' }, (index) => index % 400 !== 0);
        await skipped({ type: 'even' }, (index) => index % 2 === 0);
        await skipped({ ownership: 'personal', search: 'freq' }, (index) => index % 3 !== 0 && index % 400 !== 0);
        const after = { createdAt: T0 + Math.floor(1_200 / 7), id: 't1200' };
        await skipped({ after }, (index) => index < 1_200);
        await skipped({ after, ownership: 'personal' }, (index) => index < 1_200 && index % 3 !== 0);
      },
    );

    it('count tokens to the end, or to the bound', async () => {
      const count = (filter: object, atMost = 5_000) => store.countTokens({ organization: 'acme', ...filter }, atMost);
      expect(await count({})).toBe(COUNT);
      expect(await count({}, 300)).toBe(300);
      expect(await count({ organization: null })).toBe(COUNT);
      expect(await count({ ownership: 'personal' })).toBe(866);
      expect(await count({ ownership: 'organization' })).toBe(434);
      const even = COUNT / 2;
      for (const atMost of [1, 200, 201, even - 1, even]) expect(await count({ type: 'even' }, atMost)).toBe(atMost);
      expect(await count({ type: 'even' }, even + 1)).toBe(even);
      expect(await count({ search: 'rare', organization: null }, 100)).toBe(4);
      expect(await count({ owner: 'bob' }, 5_000)).toBe(COUNT - 4);
      expect(await count({ owner: 'bob' }, 10)).toBe(10);
      expect(await count({ owner: 'ada', ownership: 'personal' }, 10)).toBe(2);
      expect(await count({ organization: null, ownership: 'personal' }, 5_000)).toBe(866);
      expect(await count({ organization: null, ownership: 'personal' }, 300)).toBe(300);
      expect(await count({ type: 'even' }, 0)).toBe(0);
    });

    it('return all changes, and few of many', async () => {
      const all = await store.listChanges({ organization: 'acme', limit: 5_000 });
      expect(all.map(({ subject, type }) => `${type} ${subject}`)).toEqual([
        ...newest.map((id) => `token.created ${id}`),
        ...ids.map((id) => `endpoint.created ${id}`),
      ]);
      const endpoints = await store.listChanges({ organization: null, type: 'endpoint.created', limit: 3 });
      expect(endpoints.map(({ subject }) => subject)).toEqual(ids.slice(0, 3));
    });

    it('return all endpoints', async () => {
      const found = async (limit: number, after?: string) =>
        (await store.listEndpoints({ organization: 'acme', limit, ...(after !== undefined && { after }) })).map(
          ({ id }) => id,
        );
      expect(await found(5_000)).toEqual(ids);
      expect(await found(600, 't0100')).toEqual(ids.slice(101, 701));
    });
  });

  it('skipping rows in a short listing never returns rows of the next listing', async () => {
    const store = redisStore({ url, prefix: randomUUID() });
    const all = (organization: string | null, offset: number, more: object = {}) =>
      store.listTokens({ organization, offset, limit: 5, ...more });
    expect(await all(null, 1)).toEqual([]);
    expect(await all('acme', 3)).toEqual([]);
    await insert(store, aToken('t1'));
    expect(await all(null, 1)).toEqual([]);
    await insert(store, aToken('t2'));
    // Names of one length: a member of one listing then reads like one of the other.
    for (const organization of ['aaaa', 'zzzz']) {
      expect(await all(organization, 1)).toEqual([]);
      for (const ownership of ['personal', 'organization'])
        expect(await all(organization, 1, { ownership })).toEqual([]);
    }
    await insert(store, aToken('t3', { organization: 'aaaa' }));
    await insert(store, aToken('t4', { organization: 'zzzz' }));
    for (const more of [{}, { ownership: 'personal' }, { owner: 'ada' }]) {
      expect((await all('acme', 1, more)).map(({ id }) => id)).toEqual(['t1']);
      expect(await all('acme', 2, more)).toEqual([]);
    }
    await store.close();
  });

  it('a count is one command, and so is a page far down the list', async () => {
    const client = unrulyClient(port);
    const store = redisStore({ client, prefix: randomUUID() });
    await Promise.all(Array.from({ length: 1_200 }, (_, index) => insert(store, aToken(`t${index}`))));
    const acme = { organization: 'acme', ownership: 'personal' } as const;
    const reads: (() => Promise<unknown>)[] = [
      () => store.countTokens({ organization: null }, 1),
      () => store.countTokens({ organization: 'acme' }, 1),
      () => store.countTokens(acme, 1),
      () => store.listTokens({ ...acme, offset: 1_190, limit: 5 }),
      () => store.listTokens({ organization: null, offset: 1_190, limit: 5 }),
    ];
    // The first time sends the script itself.
    for (const read of reads) await read();
    for (const read of reads) {
      const { calls } = client;
      await read();
      expect(client.calls - calls).toBe(1);
    }
    await store.close();
    client.disconnect();
  });
});
