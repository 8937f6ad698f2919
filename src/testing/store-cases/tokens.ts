import assert from 'node:assert/strict';
import {
  aChange,
  aDigest,
  aSecret,
  asRead,
  assertFound,
  aToken,
  deleteToken,
  insert,
  insertToken,
  next,
  replace,
  type StoreCase,
  T0,
  wins,
} from './case.js';

const PARALLEL = 12;

/** One token: written, found, replaced, deleted. */
export const tokenCases: readonly StoreCase[] = [
  [
    'a token is found by its id and by its digest, exactly as it was written',
    async (store) => {
      const token = aToken('t1', {
        description: 'nightly',
        limits: '{"rateLimit":{"points":1,"duration":2}}',
        typeNames: ['user', 'developer'],
        ownership: 'organization',
        expiresAt: T0 + 5,
        revokedAt: T0 + 3,
        lastUsedAt: T0 + 2,
        updatedAt: T0 + 4,
        version: 7,
      });
      const secret = aSecret('s1', { pepper: 'p1', createdAt: T0 + 1, endsAt: T0 + 9 });
      await insert(store, token, secret);
      assert.deepEqual({ ...(await store.findToken('t1')) }, token);
      assertFound(await store.findTokenByDigest([secret.digest]), token, secret);
      assert.deepEqual(
        (await store.listSecrets('t1')).map((each) => ({ ...each })),
        [asRead(secret)],
      );
    },
  ],
  [
    'an id or a digest that was never written is not found',
    async (store) => {
      await insert(store, aToken('t1'));
      for (const id of ['t2', 'T1', '', ' t1', "t1' OR '1'='1", 't_', '%', '\ud800', '__proto__', 'x'.repeat(10_000)]) {
        assert.equal(await store.findToken(id), null, id.slice(0, 20));
      }
      assert.equal(await store.findTokenByDigest([aDigest('s2')]), null);
      assert.equal(await store.findTokenByDigest([]), null);
    },
  ],
  [
    'null, zero and an empty text are three things',
    async (store) => {
      const nothing = aToken('nothing', { owner: null });
      const zero = aToken('zero', { expiresAt: 0, revokedAt: 0, lastUsedAt: 0, createdAt: 0, owner: '' });
      await insert(store, nothing, aSecret('nothing', { endsAt: null, pepper: null }));
      await insert(store, zero, aSecret('zero', { endsAt: 0, pepper: '' }));
      assert.deepEqual({ ...(await store.findToken('nothing')) }, nothing);
      assert.deepEqual({ ...(await store.findToken('zero')) }, zero);
      assertFound(await store.findTokenByDigest([aDigest('nothing')]), nothing, aSecret('nothing'));
      assertFound(await store.findTokenByDigest([aDigest('zero')]), zero, aSecret('zero', { endsAt: 0 }));
      const secrets = [...(await store.listSecrets('nothing')), ...(await store.listSecrets('zero'))];
      assert.deepEqual(
        secrets.map(({ endsAt, pepper }) => [endsAt, pepper]),
        [
          [null, null],
          [0, ''],
        ],
      );
    },
  ],
  [
    'times are kept to the millisecond up to the last one that a Date has',
    async (store) => {
      const last = 8_640_000_000_000_000;
      const token = aToken('late', { createdAt: 1, updatedAt: last - 1, expiresAt: last, version: 2_000_000_000 });
      await insert(store, token);
      assert.deepEqual({ ...(await store.findToken('late')) }, token);
    },
  ],
  [
    'an id that is taken is refused, and nothing is written',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      const other = aToken('t1', { name: 'another', organization: 'umbrella' });
      assert.equal(await insertToken(store, other, aSecret('fresh'), aChange('token.created', 't1')), false);
      assert.deepEqual({ ...(await store.findToken('t1')) }, token);
      assert.equal(await store.findTokenByDigest([aDigest('fresh')]), null);
    },
  ],
  [
    'a digest that is taken is refused, and nothing is written',
    async (store) => {
      await insert(store, aToken('t1'), aSecret('shared'));
      const written = await insertToken(store, aToken('t2'), aSecret('shared'), aChange('token.imported', 't2'));
      assert.equal(written, false);
      assert.equal(await store.findToken('t2'), null);
      assert.equal((await store.findTokenByDigest([aDigest('shared')]))?.token.id, 't1');
      assert.equal((await store.listTokens({ organization: null, limit: 10 })).length, 1);
    },
  ],
  [
    'of many that create one digest at once exactly one wins',
    async (store) => {
      const ids = Array.from({ length: PARALLEL }, (_, index) => `t${index}`);
      const answers = await Promise.all(
        ids.map((id) => insertToken(store, aToken(id), aSecret('shared'), aChange('token.imported', id))),
      );
      assert.equal(wins(answers), 1);
      const written = await store.listTokens({ organization: null, limit: 100 });
      assert.deepEqual(
        written.map(({ id }) => id),
        [ids[answers.indexOf(true)]],
      );
    },
  ],
  [
    'of many that create one id at once exactly one wins, and the others leave no secret',
    async (store) => {
      const names = Array.from({ length: PARALLEL }, (_, index) => `s${index}`);
      const answers = await Promise.all(
        names.map((name) => insertToken(store, aToken('t1', { name }), aSecret(name), aChange('token.created', 't1'))),
      );
      assert.equal(wins(answers), 1);
      const winner = names[answers.indexOf(true)];
      assert.equal((await store.findToken('t1'))?.name, winner);
      for (const name of names) {
        const found = await store.findTokenByDigest([aDigest(name)]);
        assert.equal(found?.secret.digest, name === winner ? aDigest(winner) : undefined);
      }
    },
  ],
  [
    'a replacement writes every field, and leaves the last use and the secrets',
    async (store) => {
      const token = await insert(store, aToken('t1', { lastUsedAt: T0 + 50 }));
      const changed = next(token, {
        organization: 'umbrella',
        owner: null,
        ownership: 'organization',
        name: 'renamed',
        description: 'changed',
        types: '{"user":{"endpoints":"*"}}',
        typeNames: ['user'],
        metadata: '{"a":1}',
        hint: 'pst_zzzz',
        limits: '{"quota":null}',
        createdAt: T0 - 1,
        expiresAt: T0 + 60,
        revokedAt: T0 + 70,
        lastUsedAt: null,
      });
      assert.equal(await replace(store, changed, 1), true);
      const expected = { ...changed, lastUsedAt: T0 + 50 };
      assert.deepEqual({ ...(await store.findToken('t1')) }, expected);
      assertFound(await store.findTokenByDigest([aDigest('t1')]), expected, aSecret('t1'));
      assert.deepEqual(
        (await store.listSecrets('t1')).map((each) => ({ ...each })),
        [asRead(aSecret('t1'))],
      );
      const back = next(changed, {
        owner: 'ada',
        limits: null,
        expiresAt: null,
        revokedAt: null,
        lastUsedAt: T0 + 999,
      });
      assert.equal(await replace(store, back, 2), true);
      assert.deepEqual({ ...(await store.findToken('t1')) }, { ...back, lastUsedAt: T0 + 50 });
    },
  ],
  [
    'a replacement of another version, or of a token that is gone, is refused and writes nothing',
    async (store) => {
      const token = await insert(store, aToken('t1', { version: 3 }));
      for (const expected of [0, 2, 4]) {
        assert.equal(await replace(store, next(token, { name: 'stale' }), expected), false, String(expected));
      }
      assert.deepEqual({ ...(await store.findToken('t1')) }, token);
      assert.equal(await replace(store, next(aToken('t2')), 1), false);
      assert.equal(await store.findToken('t2'), null);
    },
  ],
  [
    'of many that replace one version at once exactly one wins, and its value is read',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      const names = Array.from({ length: PARALLEL }, (_, index) => `writer ${index}`);
      const answers = await Promise.all(names.map((name) => replace(store, next(token, { name }), 1)));
      assert.equal(wins(answers), 1);
      assert.equal((await store.findToken('t1'))?.name, names[answers.indexOf(true)]);
    },
  ],
  [
    'a deletion takes the token and its secrets, and only those; a second one says so',
    async (store) => {
      await insert(store, aToken('t1'));
      const other = await insert(store, aToken('t2'));
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), false);
      assert.equal(await store.findToken('t1'), null);
      assert.equal(await store.findTokenByDigest([aDigest('t1')]), null);
      assertFound(await store.findTokenByDigest([aDigest('t2')]), other, aSecret('t2'));
      await insert(store, aToken('t3'), aSecret('t1'));
      assert.equal((await store.findTokenByDigest([aDigest('t1')]))?.token.id, 't3');
    },
  ],
  [
    'a replacement that races a deletion never brings the token back',
    async (store) => {
      for (let round = 0; round < 5; round++) {
        const id = `t${round}`;
        const token = await insert(store, aToken(id));
        const [, deleted] = await Promise.all([
          replace(store, next(token, { name: 'late' }), 1),
          deleteToken(store, id, aChange('token.deleted', id)),
        ]);
        assert.equal(deleted, true);
        assert.equal(await store.findToken(id), null);
        assert.equal(await store.findTokenByDigest([aDigest(id)]), null);
      }
    },
  ],
];
