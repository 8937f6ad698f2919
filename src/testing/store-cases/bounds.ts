import assert from 'node:assert/strict';
import type { StoredToken } from '../../ports/records.js';
import {
  aChange,
  anEndpoint,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  insertAll,
  insertToken,
  type StoreCase,
  T0,
} from './case.js';

/** `n9` is the newest of ten; two of each time. Every third is of another type. */
const TEN: readonly StoredToken[] = Array.from({ length: 10 }, (_, index) =>
  aToken(`n${index}`, {
    createdAt: T0 + Math.floor(index / 2),
    ownership: index % 2 === 0 ? 'personal' : 'organization',
    typeNames: [index % 3 === 0 ? 'user' : 'developer'],
  }),
);
const NEWEST_FIRST = [...TEN].reverse();

function positionOf({ createdAt, id }: StoredToken) {
  return { createdAt, id };
}

/** Bounded queries: parts of a list, and many rows by name in one read. */
export const boundCases: readonly StoreCase[] = [
  [
    'a part of a list ends with the given position, under every filter',
    async (store) => {
      await insertAll(store, TEN);
      await insert(store, aToken('theirs', { organization: 'umbrella', createdAt: T0 + 2 }));
      for (const filter of [
        {},
        { owner: 'ada' },
        { ownership: 'personal' },
        { owner: 'ada', ownership: 'organization' },
        { type: 'user' },
        { search: 'TOKEN N' },
      ] as const) {
        const whole = await store.listTokens({ organization: 'acme', ...filter, limit: 100 });
        const fits = new Set(whole.map(({ id }) => id));
        for (const [first, last] of [
          [0, 3],
          [2, 2],
          [4, 9],
          [7, 6],
        ] as const) {
          const part = {
            after: positionOf(NEWEST_FIRST[first] as StoredToken),
            until: positionOf(NEWEST_FIRST[last] as StoredToken),
          };
          const expected = NEWEST_FIRST.slice(first + 1, last + 1).flatMap(({ id }) => (fits.has(id) ? [id] : []));
          const query = { organization: 'acme', ...filter, ...part };
          const title = JSON.stringify(query);
          const found = await store.listTokens({ ...query, limit: 100 });
          assert.deepEqual(
            found.map(({ id }) => id),
            expected,
            title,
          );
          assert.equal(await store.countTokens(query, 100), expected.length, title);
        }
      }
      const until = positionOf(NEWEST_FIRST[5] as StoredToken);
      const everywhere = await store.listTokens({ organization: null, until, limit: 100 });
      assert.deepEqual(
        everywhere.map(({ id }) => id),
        ['n9', 'n8', 'n7', 'n6', 'theirs', 'n5', 'n4'],
      );
    },
  ],
  [
    'a part of a list need not end with a token that is still there, and takes an offset and a limit',
    async (store) => {
      await insertAll(store, TEN);
      await deleteToken(store, 'n4', aChange('token.deleted', 'n4'));
      const until = { createdAt: T0 + 2, id: 'n4' };
      const ids = async (query: { offset?: number; limit: number }) => {
        return (await store.listTokens({ organization: 'acme', until, ...query })).map(({ id }) => id);
      };
      assert.deepEqual(await ids({ limit: 100 }), ['n9', 'n8', 'n7', 'n6', 'n5']);
      assert.deepEqual(await ids({ offset: 3, limit: 100 }), ['n6', 'n5']);
      assert.deepEqual(await ids({ offset: 1, limit: 2 }), ['n8', 'n7']);
      assert.deepEqual(await ids({ offset: 5, limit: 1 }), []);
      assert.equal(await store.countTokens({ organization: 'acme', until }, 3), 3);
    },
  ],
  [
    'a part of the audit log ends with the given position, and an offset skips changes',
    async (store) => {
      const made = Array.from({ length: 8 }, (_, index) =>
        aChange(index % 3 === 0 ? 'token.updated' : 'token.created', `t${index}`, 'acme', {
          at: T0 + Math.floor(index / 2),
        }),
      );
      for (const [index, change] of made.entries()) {
        assert.equal(await insertToken(store, aToken(`t${index}`), aSecret(`t${index}`), change), true);
      }
      const order = await store.listChanges({ organization: 'acme', limit: 100 });
      assert.equal(order.length, 8);
      const at = (index: number) => {
        const { at, id } = order[index] as (typeof order)[number];
        return { at, id };
      };
      for (const filter of [
        { organization: 'acme' },
        { organization: null },
        { organization: 'acme', type: 'token.updated' },
      ] as const) {
        const fits = order.filter(({ type }) => !('type' in filter) || type === filter.type);
        const part = order.slice(2, 6).filter((change) => fits.includes(change));
        const idsOf = (changes: readonly { readonly id: string }[]) => changes.map(({ id }) => id);
        const bounds = { after: at(1), until: at(5) };
        const found = await store.listChanges({ ...filter, ...bounds, limit: 100 });
        assert.deepEqual(idsOf(found), idsOf(part));
        const passed = await store.listChanges({ ...filter, ...bounds, offset: 1, limit: 100 });
        assert.deepEqual(idsOf(passed), idsOf(part.slice(1)));
        const one = await store.listChanges({ ...filter, offset: 2, limit: 1 });
        assert.deepEqual(idsOf(one), idsOf(fits.slice(2, 3)));
      }
    },
  ],
  [
    'the counts of many tokens are one read, of all endpoints or of one',
    async (store) => {
      await insertAll(store, [aToken('t1'), aToken('t2'), aToken('t3')]);
      await store.recordUsage([aUsage('t1', T0 + 1, { b: 2, a: 1 }), aUsage('t2', T0 + 2, { a: 10, '': 4 })]);
      const counts = async (ids: readonly string[], endpoint?: string) => {
        const found = await store.listUsage(ids, endpoint);
        return found.map(({ tokenId, endpoint: of, count }) => `${tokenId} ${of} ${count}`).sort();
      };
      assert.deepEqual(await counts(['t2', 't1', 't3', 'gone']), ['t1 a 1', 't1 b 2', 't2  4', 't2 a 10']);
      assert.deepEqual(await counts(['t1', 't2'], 'a'), ['t1 a 1', 't2 a 10']);
      assert.deepEqual(await counts(['t1', 't2'], ''), ['t2  4']);
      assert.deepEqual(await counts(['t1'], 'A'), []);
      assert.deepEqual(await counts([]), []);
      const many = Array.from({ length: 998 }, (_, index) => `gone${index}`);
      assert.deepEqual(await counts([...many, 't1', 't2'], 'b'), ['t1 b 2']);
    },
  ],
  [
    'many endpoints are found by their ids in one read: those of the organization, each once',
    async (store) => {
      const here = [anEndpoint('a'), anEndpoint('A', { access: 'public' }), anEndpoint('b')];
      for (const endpoint of [...here, anEndpoint('c', { organization: 'umbrella' })]) {
        const change = aChange('endpoint.created', endpoint.id, endpoint.organization);
        assert.equal(await store.insertEndpoint(endpoint, change), true);
      }
      const find = async (organization: string, ids: readonly string[]) => {
        const found = await store.findEndpoints(organization, ids);
        return found.map((endpoint) => ({ ...endpoint })).sort((x, y) => (x.id < y.id ? -1 : 1));
      };
      assert.deepEqual(await find('acme', ['b', 'A', 'a', 'c', 'gone']), [here[1], here[0], here[2]]);
      assert.deepEqual(await find('acme', ['a', 'a']), [here[0]]);
      assert.deepEqual(await find('umbrella', ['a', 'b']), []);
      assert.deepEqual(await find('acme', ["' OR ''='", '%', '', '__proto__']), []);
      assert.deepEqual(await find('acme', []), []);
      const many = Array.from({ length: 999 }, (_, index) => `gone${index}`);
      assert.deepEqual(await find('acme', [...many, 'b']), [here[2]]);
    },
  ],
];
