import assert from 'node:assert/strict';
import type { Store } from '../../ports/store.js';
import { aToken, aUsage, insert, insertAll, next, replace, type StoreCase, T0 } from './case.js';

async function lastUse(store: Store, id: string): Promise<number | null | undefined> {
  return (await store.findToken(id))?.lastUsedAt;
}

/** The last use of tokens. Counts are in `counts.ts`. */
export const usageCases: readonly StoreCase[] = [
  [
    'a last use moves forward, never back',
    async (store) => {
      await insert(store, aToken('t1'));
      for (const [lastUsedAt, expected] of [
        [T0 + 10, T0 + 10],
        [T0 + 5, T0 + 10],
        [T0 + 10, T0 + 10],
        [T0 + 11, T0 + 11],
        [0, T0 + 11],
      ] as const) {
        await store.recordUsage([aUsage('t1', lastUsedAt)]);
        assert.equal(await lastUse(store, 't1'), expected);
      }
    },
  ],
  [
    'a use changes nothing else, not even the version',
    async (store) => {
      const token = await insert(store, aToken('t1', { expiresAt: T0 + 1 }));
      await store.recordUsage([aUsage('t1', T0 + 10)]);
      assert.deepEqual({ ...(await store.findToken('t1')) }, { ...token, lastUsedAt: T0 + 10 });
      assert.equal(await replace(store, next(token), 1), true);
      assert.equal(await lastUse(store, 't1'), T0 + 10);
    },
  ],
  [
    'uses of tokens that are gone, and a batch of none, are passed over; the rest of the batch is written',
    async (store) => {
      await insertAll(store, [aToken('t1'), aToken('t2')]);
      await store.recordUsage([]);
      await store.recordUsage([
        aUsage('t1', T0 + 1),
        aUsage('gone', T0 + 2),
        aUsage("x'; DELETE FROM tokens; --", T0 + 2),
        aUsage('t2', T0 + 3),
      ]);
      assert.deepEqual([await lastUse(store, 't1'), await lastUse(store, 't2')], [T0 + 1, T0 + 3]);
      assert.equal(await store.findToken('gone'), null);
    },
  ],
  [
    'a batch may be long, and hold a token twice',
    async (store) => {
      const tokens = Array.from({ length: 30 }, (_, index) => aToken(`t${index}`));
      await insertAll(store, tokens);
      const usages = Array.from({ length: 2_000 }, (_, index) =>
        aUsage(`t${index % 40}`, T0 + ((index * 7_919) % 2_000), { [`e${index % 3}`]: 1 }),
      );
      await store.recordUsage(usages);
      for (const { id } of tokens) {
        const latest = Math.max(...usages.filter(({ tokenId }) => tokenId === id).map(({ lastUsedAt }) => lastUsedAt));
        assert.equal(await lastUse(store, id), latest, id);
        const counted = (await store.listUsage([id])).reduce((sum, { count }) => sum + count, 0);
        assert.equal(counted, 50, id);
      }
    },
  ],
  [
    'of batches at once the latest use counts, beside changes of the same tokens',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      const times = [5, 40, 12, 33, 2, 39, 17];
      const [changed] = await Promise.all([
        replace(store, next(token, { name: 'renamed' }), 1),
        ...times.map((time) => store.recordUsage([aUsage('t1', T0 + time)])),
      ]);
      assert.equal(changed, true);
      const found = await store.findToken('t1');
      assert.deepEqual([found?.lastUsedAt, found?.name], [T0 + 40, 'renamed']);
    },
  ],
];
