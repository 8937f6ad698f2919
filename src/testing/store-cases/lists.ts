import assert from 'node:assert/strict';
import type { StoredToken } from '../../ports/records.js';
import type { Store, TokenQuery } from '../../ports/store.js';
import { aChange, aToken, deleteToken, insert, insertAll, type StoreCase, T0 } from './case.js';

async function ids(store: Store, query: Partial<TokenQuery>): Promise<readonly string[]> {
  const tokens = await store.listTokens({ organization: 'acme', limit: 1_000, ...query });
  return tokens.map(({ id }) => id);
}

/** All ids, read page by page. `between` runs after each page. */
async function paged(
  store: Store,
  query: Omit<TokenQuery, 'after'>,
  between: () => Promise<unknown>,
): Promise<readonly string[]> {
  const seen: string[] = [];
  let after: StoredToken | undefined;
  for (;;) {
    const page = await store.listTokens({
      ...query,
      ...(after && { after: { createdAt: after.createdAt, id: after.id } }),
    });
    assert.ok(page.length <= query.limit, 'a page is longer than its limit');
    // A position that does not move forward would page for ever.
    for (const { id } of page) assert.ok(!seen.includes(id), `${id} was shown twice`);
    seen.push(...page.map(({ id }) => id));
    after = page.at(-1);
    if (after === undefined) return seen;
    await between();
  }
}

/** Pages of tokens: their order and filters. */
export const listCases: readonly StoreCase[] = [
  [
    'tokens come newest first, those of one time by id from the highest, by code unit',
    async (store) => {
      await insertAll(store, [
        aToken('a', { createdAt: T0 }),
        aToken('Z', { createdAt: T0 }),
        aToken('9', { createdAt: T0 }),
        aToken('b', { createdAt: T0 + 1 }),
        aToken('c', { createdAt: T0 - 1 }),
        aToken('aa', { createdAt: T0 }),
      ]);
      assert.deepEqual(await ids(store, {}), ['b', 'aa', 'a', 'Z', '9', 'c']);
      assert.deepEqual(await ids(store, { limit: 2 }), ['b', 'aa']);
      assert.deepEqual(await ids(store, { after: { createdAt: T0, id: 'a' } }), ['Z', '9', 'c']);
      assert.deepEqual(await ids(store, { after: { createdAt: T0, id: 'B' } }), ['9', 'c']);
      assert.deepEqual(await ids(store, { after: { createdAt: T0 - 1, id: 'c' } }), []);
      assert.deepEqual(await ids(store, { organization: 'nobody' }), []);
    },
  ],
  [
    'tokens are found, and counted, by whether they were revoked, beside every other condition',
    async (store) => {
      const revokedAt = T0 + 1;
      await insertAll(store, [
        aToken('a', { createdAt: T0 + 4 }),
        aToken('b', { createdAt: T0 + 3, revokedAt }),
        aToken('c', { createdAt: T0 + 2, owner: 'bob' }),
        aToken('d', { createdAt: T0 + 1, organization: 'other', revokedAt }),
        aToken('e'),
      ]);
      await store.revokeToken('e', T0, aChange('token.revoked', 'e'));
      assert.deepEqual(await ids(store, { revoked: false }), ['a', 'c']);
      assert.deepEqual(await ids(store, { revoked: true }), ['b', 'e']);
      assert.deepEqual(await ids(store, { organization: null, revoked: true }), ['b', 'd', 'e']);
      assert.deepEqual(await ids(store, { revoked: false, owner: 'ada', ownership: 'personal' }), ['a']);
      assert.deepEqual(await ids(store, { revoked: true, limit: 1, offset: 1 }), ['e']);
      assert.equal(await store.countTokens({ organization: 'acme', revoked: false }, 10), 2);
      assert.equal(await store.countTokens({ organization: null, revoked: true }, 10), 3);
    },
  ],
  [
    'a page holds whole records',
    async (store) => {
      const token = await insert(store, aToken('t1', { typeNames: ['user', 'developer'], expiresAt: T0 + 1 }));
      const [found] = await store.listTokens({ organization: 'acme', limit: 1 });
      assert.deepEqual({ ...found }, token);
    },
  ],
  [
    'paging shows each token once, and loses none of those there from the start, while others come and go',
    async (store) => {
      const there = Array.from({ length: 25 }, (_, index) =>
        aToken(`old-${String(index).padStart(2, '0')}`, { createdAt: T0 + Math.floor(index / 4) }),
      );
      await insertAll(store, there);
      for (const organization of ['acme', null]) {
        let round = 0;
        const seen = await paged(store, { organization, limit: 4 }, async () => {
          // Some are inserted after the current position. Their number is limited, so that paging ends.
          if (++round > 6) return;
          const name = `${organization}-${round}`;
          await insert(store, aToken(`new-${name}`, { createdAt: T0 + 1_000 + round }));
          await insert(store, aToken(`mid-${name}`, { createdAt: T0 + (round % 6) }));
          await insert(store, aToken(`past-${name}`, { createdAt: T0 - 1_000 + round }));
        });
        for (const { id } of there) assert.ok(seen.includes(id), `${id} was lost`);
      }
    },
  ],
  [
    'the position of a page may be that of a token that is gone',
    async (store) => {
      await insertAll(store, [aToken('a'), aToken('b'), aToken('c')]);
      const [first] = await store.listTokens({ organization: 'acme', limit: 1 });
      assert.equal(first?.id, 'c');
      assert.equal(await deleteToken(store, 'c', aChange('token.deleted', 'c')), true);
      assert.deepEqual(await ids(store, { after: { createdAt: T0, id: 'c' } }), ['b', 'a']);
    },
  ],
  [
    'organizations are apart, even if their names differ only in case or by a space',
    async (store) => {
      const names = ['acme', 'Acme', 'acme ', 'acme%', '_cme', 'açme'];
      await insertAll(
        store,
        names.map((organization, index) => aToken(`t${index}`, { organization })),
      );
      for (const [index, organization] of names.entries()) {
        assert.deepEqual(await ids(store, { organization }), [`t${index}`]);
      }
      assert.deepEqual(await ids(store, { organization: null }), ['t5', 't4', 't3', 't2', 't1', 't0']);
    },
  ],
  [
    'an owner is matched exactly, and no owner is not the empty one',
    async (store) => {
      await insertAll(store, [
        aToken('t1', { owner: 'ada' }),
        aToken('t2', { owner: 'Ada' }),
        aToken('t3', { owner: null }),
        aToken('t4', { owner: 'ada', organization: 'umbrella' }),
        aToken('t5', { owner: 'ada%' }),
      ]);
      assert.deepEqual(await ids(store, { owner: 'ada' }), ['t1']);
      assert.deepEqual(await ids(store, { owner: 'ada', organization: null }), ['t4', 't1']);
      assert.deepEqual(await ids(store, { owner: '' }), []);
      assert.deepEqual(await ids(store, { owner: 'null' }), []);
      assert.deepEqual(await ids(store, { owner: '%' }), []);
    },
  ],
  [
    'a type is matched exactly: no part of a name, no pattern, no other case',
    async (store) => {
      await insertAll(store, [
        aToken('t1', { typeNames: ['user'] }),
        aToken('t2', { typeNames: ['user_admin'] }),
        aToken('t3', { typeNames: ['admin', 'user'] }),
        aToken('t4', { typeNames: ['userXadmin', 'super-user'] }),
        aToken('t5', { typeNames: ['a"b', 'x,y', 'back\\slash', 'two\nlines'] }),
        aToken('t6', { typeNames: [] }),
      ]);
      assert.deepEqual(await ids(store, { type: 'user' }), ['t3', 't1']);
      assert.deepEqual(await ids(store, { type: 'user_admin' }), ['t2']);
      assert.deepEqual(await ids(store, { type: 'admin' }), ['t3']);
      for (const type of ['a"b', 'x,y', 'back\\slash', 'two\nlines']) {
        assert.deepEqual(await ids(store, { type }), ['t5'], type);
      }
      for (const type of [
        '',
        'use',
        'ser',
        'User',
        '%',
        'user%',
        'u_er',
        'x',
        'y',
        'two',
        'lines',
        '"',
        'user","user',
      ]) {
        assert.deepEqual(await ids(store, { type }), [], type);
      }
    },
  ],
  [
    'filters hold together, and with a position',
    async (store) => {
      await insertAll(store, [
        aToken('t1', { owner: 'ada', typeNames: ['user'], name: 'nightly' }),
        aToken('t2', { owner: 'ada', typeNames: ['developer'], name: 'nightly' }),
        aToken('t3', { owner: 'bob', typeNames: ['user'], name: 'nightly' }),
        aToken('t4', { owner: 'ada', typeNames: ['user'], name: 'daily' }),
        aToken('t5', { owner: 'ada', typeNames: ['user'], name: 'daily', description: 'or nightly' }),
      ]);
      const query = { owner: 'ada', type: 'user', search: 'nightly' };
      assert.deepEqual(await ids(store, query), ['t5', 't1']);
      assert.deepEqual(await ids(store, { ...query, limit: 1 }), ['t5']);
      assert.deepEqual(await ids(store, { ...query, after: { createdAt: T0, id: 't5' } }), ['t1']);
    },
  ],
  [
    'expired tokens are those whose expiry has come, of one organization or of all',
    async (store) => {
      await insertAll(store, [
        aToken('before', { expiresAt: T0 - 1 }),
        aToken('now', { expiresAt: T0 }),
        aToken('after', { expiresAt: T0 + 1 }),
        aToken('never', { expiresAt: null }),
        aToken('zero', { expiresAt: 0 }),
        aToken('theirs', { expiresAt: T0, organization: 'umbrella' }),
      ]);
      const expired = async (organization: string | null, before: number, limit = 100) =>
        (await store.listExpiredTokens(organization, before, limit)).map(({ id }) => id).sort();
      assert.deepEqual(await expired('acme', T0), ['before', 'now', 'zero']);
      assert.deepEqual(await expired(null, T0), ['before', 'now', 'theirs', 'zero']);
      assert.deepEqual(await expired('umbrella', T0 - 1), []);
      assert.deepEqual(await expired('acme', -1), []);
      assert.equal((await expired(null, T0, 2)).length, 2);
      const [token] = await store.listExpiredTokens('umbrella', T0, 1);
      assert.deepEqual({ ...token }, aToken('theirs', { expiresAt: T0, organization: 'umbrella' }));
    },
  ],
];
