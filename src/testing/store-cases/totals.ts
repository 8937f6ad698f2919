import assert from 'node:assert/strict';
import type { Store, TokenFilter } from '../../ports/store.js';
import {
  aChange,
  aKey,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  insertAll,
  insertToken,
  next,
  replace,
  type StoreCase,
  T0,
  wins,
} from './case.js';

const PLENTY = 1_000_000;

function total(store: Store, filter: Partial<TokenFilter> = {}, atMost = PLENTY): Promise<number> {
  return store.countTokens({ organization: 'acme', ...filter }, atMost);
}

/** Of `acme`: all, personal, the organization's own; then of `umbrella`; then of everyone. */
async function totals(store: Store): Promise<readonly number[]> {
  return [
    await total(store, {}),
    await total(store, { ownership: 'personal' }),
    await total(store, { ownership: 'organization' }),
    await total(store, { organization: 'umbrella' }),
    await total(store, { organization: null }),
  ];
}

const shared = { ownership: 'organization', owner: null } as const;
const theirs = { organization: 'umbrella' } as const;

/** Counts of tokens. */
export const totalCases: readonly StoreCase[] = [
  [
    'tokens are counted by organization, by organization and ownership, and in all',
    async (store) => {
      assert.deepEqual(await totals(store), [0, 0, 0, 0, 0]);
      await insertAll(store, [aToken('t1'), aToken('t2'), aToken('t3', shared), aToken('t4', theirs)]);
      assert.deepEqual(await totals(store), [3, 2, 1, 1, 4]);
      assert.equal(await total(store, { organization: 'Acme' }), 0);
      assert.equal(await total(store, { organization: 'acme ' }), 0);
      assert.equal(await total(store, { ...theirs, ownership: 'organization' }), 0);
      assert.equal(await total(store, { organization: null, ownership: 'personal' }), 3);
    },
  ],
  [
    'a deletion is counted once; refused calls and uses are not counted',
    async (store) => {
      const secret = aSecret('t1', { key: aKey('t1') });
      const token = await insert(store, aToken('t1'), secret);
      await insertAll(store, [aToken('t2'), aToken('t3', shared)]);
      for (const [id, taken] of [
        ['t1', aSecret('fresh')],
        ['t4', aSecret('t1')],
        ['t4', aSecret('fresh', { key: aKey('t1') })],
      ] as const) {
        assert.equal(await insertToken(store, aToken(id), taken, aChange('token.created', id)), false);
      }
      assert.equal(await replace(store, next(token, shared), 7), false);
      const rotation = { secret: aSecret('t2'), othersEndAt: T0, at: T0 };
      const moved = next(token, { ...shared, ...theirs });
      assert.equal(await store.replaceToken(moved, 1, rotation, aChange('token.rotated', 't1')), false);
      await store.recordUsage([aUsage('t1', T0 + 5, { a: 1 })]);
      assert.deepEqual(await totals(store), [3, 2, 1, 0, 3]);
      for (const expected of [true, false]) {
        assert.equal(await deleteToken(store, 't2', aChange('token.deleted', 't2')), expected);
        assert.deepEqual(await totals(store), [2, 1, 1, 0, 2]);
      }
      await insert(store, aToken('t2'));
      assert.deepEqual(await totals(store), [3, 2, 1, 0, 3]);
      for (const id of ['t1', 't2', 't3']) await deleteToken(store, id, aChange('token.deleted', id));
      assert.deepEqual(await totals(store), [0, 0, 0, 0, 0]);
    },
  ],
  [
    'a change of a token leaves the counts, unless it moves the token',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      await insert(store, aToken('t2'));
      const revoked = next(token, { revokedAt: T0 + 1, name: 'renamed' });
      assert.equal(await replace(store, revoked, 1), true);
      assert.deepEqual(await totals(store), [2, 2, 0, 0, 2]);
      const turned = next(revoked, shared);
      assert.equal(await replace(store, turned, 2), true);
      assert.deepEqual(await totals(store), [2, 1, 1, 0, 2]);
      assert.equal(await replace(store, next(turned, theirs), 3), true);
      assert.deepEqual(await totals(store), [1, 1, 0, 1, 2]);
      assert.equal(await total(store, { ...theirs, ownership: 'organization' }), 1);
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      assert.deepEqual(await totals(store), [1, 1, 0, 0, 1]);
    },
  ],
  [
    'every filter counts the tokens that it lists, and may stop at the bound',
    async (store) => {
      for (let index = 0; index < 9; index++) {
        const owner = index < 6 ? 'ada' : 'bob';
        const typeNames = index % 2 === 0 ? ['user'] : ['developer', 'user_admin'];
        const token = aToken(`t${index}`, { owner, typeNames, description: index % 3 === 0 ? '100% nightly' : '' });
        await insert(store, index === 8 ? { ...token, ...theirs } : token);
      }
      for (const [filter, expected] of [
        [{}, 8],
        [{ organization: null }, 9],
        [{ ownership: 'personal' }, 8],
        [{ owner: 'ada' }, 6],
        [{ owner: 'Ada' }, 0],
        [{ owner: 'bob', organization: null }, 3],
        [{ type: 'user' }, 4],
        [{ type: 'use' }, 0],
        [{ search: '% NIGHT' }, 3],
        [{ search: 'n%y' }, 0],
        [{ search: 'token t', organization: null }, 9],
        [{ owner: 'ada', ownership: 'personal', type: 'user', search: 'nightly' }, 1],
        [{ owner: 'ada', ownership: 'organization' }, 0],
      ] as const) {
        const title = JSON.stringify(filter);
        assert.equal(await total(store, filter), expected, title);
        const listed = await store.listTokens({ organization: 'acme', ...filter, limit: 100 });
        assert.equal(listed.length, expected, title);
        assert.equal(await total(store, filter, expected), expected, title);
        if (expected > 0) {
          const bounded = await total(store, filter, expected - 1);
          assert.ok(bounded === expected - 1 || bounded === expected, `${title}: ${bounded}`);
        }
      }
    },
  ],
  [
    'an unusual name is counted like any other',
    async (store) => {
      for (const organization of ['__proto__', 'constructor', "'; --", '["acme","personal"]', 'a\u0301']) {
        await insert(store, aToken(organization, { organization }));
        assert.equal(await total(store, { organization }), 1, organization);
        assert.equal(await total(store, { organization, ownership: 'personal' }), 1, organization);
      }
      assert.equal(await total(store, { organization: null }), 5);
    },
  ],
  [
    'of many creations, changes and deletions at once every one is counted',
    async (store) => {
      const there = Array.from({ length: 12 }, (_, index) => aToken(`t${index}`));
      await insertAll(store, there);
      const made = await Promise.all([
        ...Array.from({ length: 12 }, (_, index) => {
          const id = `n${index % 8}`;
          return insertToken(store, aToken(id, shared), aSecret(`s${index}`), aChange('token.created', id));
        }),
        ...there.slice(0, 6).map((token) => replace(store, next(token, shared), 1)),
        ...there
          .slice(6, 9)
          .flatMap(({ id }) => [
            deleteToken(store, id, aChange('token.deleted', id)),
            deleteToken(store, id, aChange('token.deleted', id)),
          ]),
      ]);
      assert.equal(wins(made), 8 + 6 + 3);
      assert.deepEqual(await totals(store), [17, 3, 14, 0, 17]);
    },
  ],
];
