import assert from 'node:assert/strict';
import type { StoredToken } from '../../ports/records.js';
import type { Store, TokenQuery } from '../../ports/store.js';
import { aToken, insertAll, next, replace, type StoreCase, T0 } from './case.js';

async function ids(store: Store, query: Partial<TokenQuery>): Promise<readonly string[]> {
  const tokens = await store.listTokens({ organization: 'acme', limit: 1_000, ...query });
  return tokens.map(({ id }) => id);
}

/** `n11` is the newest of twelve; three of each time. */
const TWELVE: readonly StoredToken[] = Array.from({ length: 12 }, (_, index) =>
  aToken(`n${String(index).padStart(2, '0')}`, {
    createdAt: T0 + Math.floor(index / 3),
    ownership: index % 2 === 0 ? 'personal' : 'organization',
    typeNames: [index % 4 === 0 ? 'user' : 'developer'],
  }),
);
const NEWEST_FIRST = TWELVE.map(({ id }) => id).reverse();

/** Pages by number (`offset`), and by ownership. */
export const pagingCases: readonly StoreCase[] = [
  [
    'an offset skips the first tokens, and the page is full if there are enough',
    async (store) => {
      await insertAll(store, TWELVE);
      for (const organization of ['acme', null]) {
        for (const offset of [0, 1, 4, 11, 12, 100]) {
          const expected = NEWEST_FIRST.slice(offset);
          assert.deepEqual(await ids(store, { organization, offset }), expected, String(offset));
          assert.deepEqual(await ids(store, { organization, offset, limit: 3 }), expected.slice(0, 3), String(offset));
        }
      }
    },
  ],
  [
    'an offset counts from the given position, and only tokens that pass the filters',
    async (store) => {
      await insertAll(store, TWELVE);
      const after = { createdAt: T0 + 2, id: 'n07' };
      assert.deepEqual(await ids(store, { after, offset: 0, limit: 2 }), ['n06', 'n05']);
      assert.deepEqual(await ids(store, { after, offset: 2, limit: 2 }), ['n04', 'n03']);
      assert.deepEqual(await ids(store, { after, offset: 7 }), []);
      assert.deepEqual(await ids(store, { type: 'user', offset: 1 }), ['n04', 'n00']);
      assert.deepEqual(await ids(store, { search: 'TOKEN N0', offset: 2, limit: 2 }), ['n07', 'n06']);
      const all = { ownership: 'personal', owner: 'ada', type: 'developer', after } as const;
      assert.deepEqual(await ids(store, all), ['n06', 'n02']);
      assert.deepEqual(await ids(store, { ...all, offset: 1 }), ['n02']);
    },
  ],
  [
    'pages by number and pages by position show the same',
    async (store) => {
      await insertAll(store, TWELVE);
      const seen: string[] = [];
      for (let offset = 0; offset < 12; offset += 5) seen.push(...(await ids(store, { offset, limit: 5 })));
      assert.deepEqual(seen, NEWEST_FIRST);
    },
  ],
  [
    'an ownership is matched exactly, within an organization, with a position and over all organizations',
    async (store) => {
      await insertAll(store, TWELVE);
      await insertAll(store, [
        aToken('theirs', { organization: 'umbrella', ownership: 'personal' }),
        aToken('nobody', { owner: null, ownership: 'organization' }),
      ]);
      const personal = NEWEST_FIRST.filter((id) => Number(id.slice(1)) % 2 === 0);
      assert.deepEqual(await ids(store, { ownership: 'personal' }), personal);
      assert.deepEqual(await ids(store, { ownership: 'personal', limit: 2 }), ['n10', 'n08']);
      const after = { createdAt: T0 + 1, id: 'n04' };
      assert.deepEqual(await ids(store, { ownership: 'personal', after }), ['n02', 'n00']);
      assert.deepEqual(await ids(store, { ownership: 'organization', after }), ['n03', 'nobody', 'n01']);
      assert.deepEqual(await ids(store, { ownership: 'organization', owner: 'ada', after }), ['n03', 'n01']);
      assert.deepEqual(await ids(store, { ownership: 'personal', organization: 'umbrella' }), ['theirs']);
      assert.deepEqual(await ids(store, { ownership: 'organization', organization: 'umbrella' }), []);
      const everywhere = [...personal.slice(0, -2), 'theirs', ...personal.slice(-2)];
      assert.deepEqual(await ids(store, { ownership: 'personal', organization: null }), everywhere);
      assert.deepEqual(await ids(store, { ownership: 'Personal' as never }), []);
    },
  ],
  [
    'a token whose ownership or organization changes is in the other list from then on',
    async (store) => {
      const token = aToken('t1', { ownership: 'personal' });
      await insertAll(store, [token]);
      const shared = next(token, { ownership: 'organization', owner: null });
      assert.equal(await replace(store, shared, 1), true);
      assert.deepEqual(await ids(store, { ownership: 'personal' }), []);
      assert.deepEqual(await ids(store, { ownership: 'organization' }), ['t1']);
      assert.equal(await replace(store, next(shared, { organization: 'umbrella' }), 2), true);
      assert.deepEqual(await ids(store, { ownership: 'organization' }), []);
      assert.deepEqual(await ids(store, { ownership: 'organization', organization: 'umbrella' }), ['t1']);
    },
  ],
];
