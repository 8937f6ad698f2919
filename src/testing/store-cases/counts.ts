import assert from 'node:assert/strict';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aSecret,
  aToken,
  aUsage,
  DAY0,
  deleteToken,
  insert,
  insertAll,
  next,
  replace,
  type StoreCase,
  T0,
} from './case.js';

/** `[endpoint, count, last use]` of each, in the order given. */
async function countsOf(store: Store, id: string): Promise<readonly (readonly [string, number, number])[]> {
  const found = await store.listUsage([id]);
  for (const { tokenId } of found) assert.equal(tokenId, id);
  return found.map(({ endpoint, count, lastUsedAt }) => [endpoint, count, lastUsedAt]);
}

/** Counts of uses by endpoint. */
export const countCases: readonly StoreCase[] = [
  [
    'counts are added up by token and endpoint, and listed by endpoint, by code unit',
    async (store) => {
      await insertAll(store, [aToken('t1'), aToken('t2')]);
      await store.recordUsage([aUsage('t1', T0 + 1, { b: 2, a: 1, '': 7 }), aUsage('t2', T0 + 2, { a: 10 })]);
      await store.recordUsage([aUsage('t1', T0 + 3, { a: 5, B: 1 })]);
      assert.deepEqual(await countsOf(store, 't1'), [
        ['', 7, T0 + 1],
        ['B', 1, T0 + 3],
        ['a', 6, T0 + 3],
        ['b', 2, T0 + 1],
      ]);
      assert.deepEqual(await countsOf(store, 't2'), [['a', 10, T0 + 2]]);
      assert.deepEqual(await countsOf(store, 'unknown'), []);
      assert.deepEqual(await countsOf(store, 'T1'), []);
    },
  ],
  [
    "an endpoint's last use moves forward, never back, while its counts are added",
    async (store) => {
      await insert(store, aToken('t1'));
      for (const [at, expected] of [
        [T0 + 10, T0 + 10],
        [T0 + 5, T0 + 10],
        [T0 + 12, T0 + 12],
      ] as const) {
        await store.recordUsage([aUsage('t1', at, { a: 1 })]);
        assert.equal((await countsOf(store, 't1'))[0]?.[2], expected);
      }
      assert.deepEqual(await countsOf(store, 't1'), [['a', 3, T0 + 12]]);
    },
  ],
  [
    'a batch that holds a token, and an endpoint of it, several times adds them all',
    async (store) => {
      await insert(store, aToken('t1'));
      const twice = {
        tokenId: 't1',
        lastUsedAt: T0 + 2,
        counts: Array(2).fill({ day: DAY0, endpoint: 'a', scope: '', count: 4 }),
      };
      await store.recordUsage([aUsage('t1', T0 + 3, { a: 1 }), twice, aUsage('t1', T0 + 1, { a: 2 })]);
      assert.deepEqual(await countsOf(store, 't1'), [['a', 11, T0 + 3]]);
      assert.equal((await store.findToken('t1'))?.lastUsedAt, T0 + 3);
    },
  ],
  [
    'counts go on beyond 32 bits',
    async (store) => {
      await insert(store, aToken('t1'));
      const large = 3_000_000_000;
      for (let round = 0; round < 3; round++) await store.recordUsage([aUsage('t1', T0, { a: large })]);
      assert.deepEqual(await countsOf(store, 't1'), [['a', 3 * large, T0]]);
    },
  ],
  [
    'uses of a token that is gone are counted nowhere; those beside them are',
    async (store) => {
      await insert(store, aToken('t1'));
      await store.recordUsage([aUsage('gone', T0, { a: 1 }), aUsage('t1', T0, { a: 1 })]);
      assert.deepEqual(await countsOf(store, 't1'), [['a', 1, T0]]);
      assert.deepEqual(await countsOf(store, 'gone'), []);
      await insert(store, aToken('gone'));
      assert.deepEqual(await countsOf(store, 'gone'), []);
    },
  ],
  [
    'counts go with their token, and only with it: one made later under the same id begins anew',
    async (store) => {
      await insertAll(store, [aToken('t1'), aToken('t2')]);
      await store.recordUsage([aUsage('t1', T0, { a: 1 }), aUsage('t2', T0, { a: 2 })]);
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      assert.deepEqual(await countsOf(store, 't1'), []);
      await insert(store, aToken('t1'), aSecret('again'));
      assert.deepEqual(await countsOf(store, 't1'), []);
      assert.deepEqual(await countsOf(store, 't2'), [['a', 2, T0]]);
    },
  ],
  [
    'a change of a token, its revocation and a new secret included, leaves its counts',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      await store.recordUsage([aUsage('t1', T0, { a: 3 })]);
      const revoked = next(token, { revokedAt: T0 + 1 });
      assert.equal(await replace(store, revoked, 1), true);
      const rotation = { secret: aSecret('second'), othersEndAt: T0, at: T0 };
      assert.equal(await store.replaceToken(next(revoked), 2, rotation, aChange('token.rotated', 't1')), true);
      assert.deepEqual(await countsOf(store, 't1'), [['a', 3, T0]]);
    },
  ],
  [
    'of batches at once, over the same tokens in any order, every use is counted',
    async (store) => {
      const ids = Array.from({ length: 8 }, (_, index) => `t${index}`);
      await insertAll(
        store,
        ids.map((id) => aToken(id)),
      );
      await Promise.all(
        Array.from({ length: 12 }, (_, round) => {
          const batch = ids.map((id, index) => aUsage(id, T0 + ((round * 5 + index) % 12), { a: 1, b: round }));
          return store.recordUsage(round % 2 === 0 ? batch : batch.reverse());
        }),
      );
      for (const [index, id] of ids.entries()) {
        assert.deepEqual(
          (await countsOf(store, id)).map(([endpoint, count]) => [endpoint, count]),
          [
            ['a', 12],
            ['b', 66],
          ],
          String(index),
        );
      }
    },
  ],
  [
    'a batch beside the deletion of its tokens fails neither, and leaves nothing of those',
    async (store) => {
      const ids = Array.from({ length: 10 }, (_, index) => `t${index}`);
      await insertAll(store, [...ids.map((id) => aToken(id)), aToken('stays')]);
      const batch = [...ids, 'stays'].map((id) => aUsage(id, T0, { a: 1 }));
      const [deleted] = await Promise.all([
        Promise.all(ids.map((id) => deleteToken(store, id, aChange('token.deleted', id)))),
        store.recordUsage(batch),
        store.recordUsage([...batch].reverse()),
      ]);
      assert.ok(deleted.every(Boolean));
      for (const id of ids) assert.deepEqual(await countsOf(store, id), []);
      assert.deepEqual(await countsOf(store, 'stays'), [['a', 2, T0]]);
    },
  ],
];
