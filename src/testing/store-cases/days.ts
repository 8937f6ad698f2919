import assert from 'node:assert/strict';
import type { DailyCount } from '../../ports/records.js';
import type { DailyUsageQuery, Store } from '../../ports/store.js';
import { aChange, aToken, DAY0, deleteToken, insert, insertAll, type StoreCase, T0 } from './case.js';

type Row = readonly [day: number, endpoint: string, scope: string, count: number];

const EVER = { from: DAY0 - 1_000, to: DAY0 + 1_000, limit: 1_000 };

/** `[days after the first, endpoint, scope, count]` of each, in the given order. */
async function daysOf(
  store: Store,
  of: DailyUsageQuery['of'],
  query: Partial<DailyUsageQuery> = {},
): Promise<readonly Row[]> {
  const found = await store.listDailyUsage({ of, ...EVER, ...query });
  return found.map(({ day, endpoint, scope, count }) => [day - DAY0, endpoint, scope, count]);
}

function uses(tokenId: string, rows: readonly Row[]) {
  const counts = rows.map(([day, endpoint, scope, count]): DailyCount => {
    return { day: DAY0 + day, endpoint, scope, count };
  });
  return { tokenId, lastUsedAt: T0, counts };
}

const acme = { organization: 'acme' };

/** Counts of uses by day. */
export const dayCases: readonly StoreCase[] = [
  [
    'daily counts are added up by day, endpoint and scope, and listed in this order, by code unit',
    async (store) => {
      await insertAll(store, [aToken('t1'), aToken('t2')]);
      const first: readonly Row[] = [
        [1, '', 'models:read', 2],
        [0, 'b', '', 1],
        [0, 'a', '', 5],
        [0, 'B', '', 1],
        [-1, '', 'iam:read models:read', 1],
      ];
      await store.recordUsage([uses('t1', first), uses('t2', [[0, 'a', '', 10]])]);
      await store.recordUsage([
        uses('t1', [
          [0, 'a', '', 3],
          [1, '', 'iam:read', 1],
          [0, 'a', '', 1],
        ]),
      ]);
      assert.deepEqual(await daysOf(store, { token: 't1' }), [
        [-1, '', 'iam:read models:read', 1],
        [0, 'B', '', 1],
        [0, 'a', '', 9],
        [0, 'b', '', 1],
        [1, '', 'iam:read', 1],
        [1, '', 'models:read', 2],
      ]);
      assert.deepEqual(await daysOf(store, { token: 't2' }), [[0, 'a', '', 10]]);
      assert.deepEqual(await daysOf(store, { token: 'unknown' }), []);
      // The total by endpoint counts every day.
      const total = (await store.listUsage(['t1'])).map(({ endpoint, count }) => [endpoint, count]);
      assert.deepEqual(total, [
        ['', 4],
        ['B', 1],
        ['a', 9],
        ['b', 1],
      ]);
    },
  ],
  [
    "an organization's counts are those of its tokens together, and of no other organization",
    async (store) => {
      const names = ['acme', 'ACME', 'other', 'a"b\\c\tö:1 2'];
      for (const [index, organization] of names.entries()) {
        await insertAll(store, [aToken(`a${index}`, { organization }), aToken(`b${index}`, { organization })]);
        await store.recordUsage([
          uses(`a${index}`, [[0, 'e', '', index + 1]]),
          uses(`b${index}`, [
            [0, 'e', '', 10],
            [2, '', 's', 1],
          ]),
        ]);
      }
      for (const [index, organization] of names.entries()) {
        assert.deepEqual(
          await daysOf(store, { organization }),
          [
            [0, 'e', '', index + 11],
            [2, '', 's', 1],
          ],
          organization,
        );
      }
      assert.deepEqual(await daysOf(store, { organization: 'a0' }), []);
      assert.deepEqual(await daysOf(store, { token: 'acme' }), []);
    },
  ],
  [
    'a list has only the days asked for, and goes on after a count in pages of any size',
    async (store) => {
      await insert(store, aToken('t1'));
      const all = [0, 1, 2, 3].flatMap((day) =>
        ['', 'a', 'b'].flatMap((endpoint) => ['', 's'].map((scope): Row => [day, endpoint, scope, day + 1])),
      );
      await store.recordUsage([uses('t1', all)]);
      for (const of of [{ token: 't1' }, acme]) {
        assert.deepEqual(
          await daysOf(store, of, { from: DAY0 + 1, to: DAY0 + 2 }),
          all.filter(([day]) => day === 1 || day === 2),
        );
        for (const limit of [1, 4, 5, 100]) {
          const seen: Row[] = [];
          let after: DailyCount | undefined;
          for (;;) {
            const page = await store.listDailyUsage({ of, ...EVER, limit, after });
            seen.push(...page.map(({ day, endpoint, scope, count }): Row => [day - DAY0, endpoint, scope, count]));
            after = page.at(-1);
            assert.ok(page.length <= limit);
            if (page.length < limit) break;
          }
          assert.deepEqual(seen, all, `pages of ${limit}`);
        }
      }
    },
  ],
  [
    "deleting a token deletes its daily counts, and leaves its organization's",
    async (store) => {
      await insertAll(store, [aToken('t1'), aToken('t2')]);
      await store.recordUsage([
        uses('t1', [
          [0, 'a', '', 1],
          [1, 'a', '', 2],
        ]),
        uses('t2', [[0, 'a', '', 4]]),
      ]);
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      await store.recordUsage([uses('t1', [[0, 'a', '', 8]])]);
      assert.deepEqual(await daysOf(store, { token: 't1' }), []);
      const left: readonly Row[] = [
        [0, 'a', '', 5],
        [1, 'a', '', 2],
      ];
      assert.deepEqual(await daysOf(store, acme), left);
      await insert(store, aToken('t1', { organization: 'other' }));
      assert.deepEqual(await daysOf(store, { token: 't1' }), []);
    },
  ],
  [
    'of batches at once, over the same organization, every use is counted',
    async (store) => {
      const ids = Array.from({ length: 8 }, (_, index) => `t${index}`);
      await insertAll(
        store,
        ids.map((id) => aToken(id)),
      );
      const rows: readonly Row[] = [
        [0, 'a', '', 1],
        [0, 'b', '', 2],
        [1, '', 's', 1],
      ];
      await Promise.all(
        Array.from({ length: 12 }, (_, round) => {
          const batch = ids.map((id) => uses(id, round % 2 === 0 ? rows : [...rows].reverse()));
          return store.recordUsage(round % 3 === 0 ? batch : batch.reverse());
        }),
      );
      for (const id of ids) {
        assert.deepEqual(
          await daysOf(store, { token: id }),
          rows.map(([day, endpoint, scope, count]) => [day, endpoint, scope, 12 * count]),
        );
      }
      assert.deepEqual(
        await daysOf(store, acme),
        rows.map(([day, endpoint, scope, count]) => [day, endpoint, scope, 12 * 8 * count]),
      );
    },
  ],
  [
    'daily counts before a day are removed in batches, and no others',
    async (store) => {
      const ids = Array.from({ length: 7 }, (_, index) => `t${index}`);
      await insertAll(
        store,
        ids.map((id) => aToken(id)),
      );
      const rows = Array.from({ length: 5 }, (_, day): Row => [day, 'a', '', 1]);
      await store.recordUsage(ids.map((id) => uses(id, rows)));
      let calls = 0;
      while (await store.trimDailyUsage(DAY0 + 3, 4)) assert.ok(++calls < 1_000, 'it never ends');
      const kept = (count: number) => [3, 4].map((day): Row => [day, 'a', '', count]);
      for (const id of ids) assert.deepEqual(await daysOf(store, { token: id }), kept(1));
      assert.deepEqual(await daysOf(store, acme), kept(7));
      assert.deepEqual(
        (await store.listUsage(['t0'])).map(({ count }) => count),
        [5],
      );
      await store.recordUsage([
        uses('t0', [
          [2, 'a', '', 1],
          [4, 'a', '', 1],
        ]),
      ]);
      assert.deepEqual(await daysOf(store, { token: 't0' }), [
        [2, 'a', '', 1],
        [3, 'a', '', 1],
        [4, 'a', '', 2],
      ]);
      while (await store.trimDailyUsage(DAY0 + 9, 100)) assert.ok(++calls < 2_000, 'it never ends');
      assert.deepEqual([await daysOf(store, { token: 't0' }), await daysOf(store, acme)], [[], []]);
    },
  ],
];
