import assert from 'node:assert/strict';
import type { NewSecret, StoredToken } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  aSecret,
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

/** A secret with a key, both named by this text. */
function keyed(text: string, fields: Partial<NewSecret> = {}): NewSecret {
  return aSecret(text, { key: aKey(text), ...fields });
}

function rotate(store: Store, token: StoredToken, secret: NewSecret, othersEndAt = T0 + 100): Promise<boolean> {
  const rotation = { secret, othersEndAt, at: T0 };
  return store.replaceToken(next(token), token.version, rotation, aChange('token.rotated', token.id));
}

/** The id of each key's token, by the text that names the key; `null` if there is none. */
function tokensOf(store: Store, texts: readonly string[]): Promise<readonly (string | null)[]> {
  return Promise.all(texts.map(async (text) => (await store.findTokenByKeyId([aKeyId(text)]))?.token.id ?? null));
}

/** The public keys of secrets: lookups, and their end. */
export const keyCases: readonly StoreCase[] = [
  [
    'a token is found by the id of a key, with the secret of that key and the public half as it was written',
    async (store) => {
      const token = aToken('t1', { typeNames: ['user', 'developer'], expiresAt: T0 + 5 });
      const secret = keyed('k1', { pepper: 'p1', createdAt: T0 + 1, endsAt: T0 + 9 });
      await insert(store, token, secret);
      const found = await store.findTokenByKeyId([aKeyId('k1')]);
      assertFound(found, token, secret);
      assert.equal(found?.publicKey, aKey('k1').publicKey);
      assertFound(await store.findTokenByDigest([secret.digest]), token, secret);
    },
  ],
  [
    'an unknown id, a digest, a public half or nothing finds no token',
    async (store) => {
      await insert(store, aToken('t1'), keyed('k1'));
      await insert(store, aToken('t2'), aSecret('k2'));
      const key = aKey('k1');
      for (const id of [aKeyId('k2'), aDigest('k1'), key.publicKey, '', 'null', '__proto__', '%', key.id.slice(1)]) {
        assert.equal(await store.findTokenByKeyId([id]), null, id);
      }
      assert.equal(await store.findTokenByKeyId([]), null);
      assert.equal(await store.findTokenByDigest([key.id]), null);
    },
  ],
  [
    'of several ids the one that is there is found, and of several that are there the first one counts',
    async (store) => {
      await insert(store, aToken('t1'), keyed('k1', { pepper: 'old' }));
      await insert(store, aToken('t2'), keyed('k2', { pepper: 'new' }));
      const [first, second, ...absent] = ['k1', 'k2', 'a', 'b', 'c'].map(aKeyId) as [string, string, ...string[]];
      for (const [ids, id, text] of [
        [[...absent, first], 't1', 'k1'],
        [[second, ...absent], 't2', 'k2'],
        [[first, second], 't1', 'k1'],
        [[...absent, second, first], 't2', 'k2'],
      ] as const) {
        const found = await store.findTokenByKeyId(ids);
        assert.equal(found?.token.id, id);
        assert.equal(found?.secret.digest, aDigest(text));
        assert.equal(found?.publicKey, aKey(text).publicKey);
      }
      assert.equal(await store.findTokenByKeyId(absent), null);
    },
  ],
  [
    'any number of secrets may have no key',
    async (store) => {
      for (const id of ['t1', 't2', 't3']) await insert(store, aToken(id));
      assert.equal(await rotate(store, aToken('t1'), aSecret('second')), true);
      assert.equal((await store.findTokenByDigest([aDigest('second')]))?.token.id, 't1');
    },
  ],
  [
    "a key's id that is taken is refused at a creation, and nothing is written",
    async (store) => {
      await insert(store, aToken('t1'), keyed('k1'));
      const clash = aSecret('fresh', { key: { ...aKey('k1'), publicKey: aKey('other').publicKey } });
      assert.equal(await insertToken(store, aToken('t2'), clash, aChange('token.created', 't2')), false);
      assert.equal(await store.findToken('t2'), null);
      assert.equal(await store.findTokenByDigest([aDigest('fresh')]), null);
      const found = await store.findTokenByKeyId([aKeyId('k1')]);
      assert.deepEqual([found?.token.id, found?.publicKey], ['t1', aKey('k1').publicKey]);
      assert.equal((await store.listChanges({ organization: null, limit: 10 })).length, 1);
      await insert(store, aToken('t2'), aSecret('fresh', { key: aKey('fresh') }));
    },
  ],
  [
    "a key's id that is taken is refused at a rotation, be it another token's or its own, and nothing is changed",
    async (store) => {
      const token = await insert(store, aToken('t1'), keyed('mine'));
      await insert(store, aToken('t2'), keyed('theirs'));
      for (const text of ['mine', 'theirs']) {
        assert.equal(await rotate(store, token, aSecret('fresh', { key: aKey(text) }), T0 + 1), false, text);
      }
      assert.deepEqual({ ...(await store.findToken('t1')) }, token);
      assert.equal(await store.findTokenByDigest([aDigest('fresh')]), null);
      assert.equal((await store.findTokenByDigest([aDigest('mine')]))?.secret.endsAt, null);
      assert.deepEqual(await tokensOf(store, ['mine', 'theirs']), ['t1', 't2']);
      assert.equal(await rotate(store, token, keyed('fresh')), true);
      const late = aSecret('late', { key: aKey('mine') });
      assert.equal(await insertToken(store, aToken('t3'), late, aChange('token.created', 't3')), false);
    },
  ],
  [
    'of many that create one key at once exactly one wins, and the others leave nothing',
    async (store) => {
      const ids = Array.from({ length: PARALLEL }, (_, index) => `t${index}`);
      const answers = await Promise.all(
        ids.map((id) => {
          const secret = aSecret(id, { key: aKey('shared') });
          return insertToken(store, aToken(id), secret, aChange('token.created', id));
        }),
      );
      assert.equal(wins(answers), 1);
      const winner = ids[answers.indexOf(true)] as string;
      const found = await store.findTokenByKeyId([aKeyId('shared')]);
      assert.deepEqual([found?.token.id, found?.secret.digest], [winner, aDigest(winner)]);
      for (const id of ids) {
        assert.equal((await store.findTokenByDigest([aDigest(id)]))?.token.id, id === winner ? id : undefined);
      }
    },
  ],
  [
    'of rotations of many tokens to one key at once exactly one wins, and the others stay as they were',
    async (store) => {
      const ids = Array.from({ length: 8 }, (_, index) => `t${index}`);
      const tokens = [];
      for (const id of ids) tokens.push(await insert(store, aToken(id), keyed(id)));
      const answers = await Promise.all(
        tokens.map((token) => rotate(store, token, aSecret(`${token.id} new`, { key: aKey('shared') }))),
      );
      assert.equal(wins(answers), 1);
      const winner = ids[answers.indexOf(true)];
      assert.deepEqual(await tokensOf(store, ['shared', ...ids]), [winner, ...ids]);
      for (const id of ids) {
        const isWinner = id === winner;
        assert.equal((await store.findToken(id))?.version, isWinner ? 2 : 1);
        assert.equal((await store.findTokenByDigest([aDigest(id)]))?.secret.endsAt, isWinner ? T0 + 100 : null);
        assert.equal((await store.findTokenByDigest([aDigest(`${id} new`)])) !== null, isWinner);
      }
    },
  ],
  [
    'after a rotation both keys find the token, the old one with its end, which may long be over',
    async (store) => {
      const token = await insert(store, aToken('t1', { lastUsedAt: T0 + 7 }), keyed('first'));
      assert.equal(await rotate(store, token, keyed('second', { createdAt: T0 + 1 }), 1), true);
      const byOld = await store.findTokenByKeyId([aKeyId('first')]);
      const byNew = await store.findTokenByKeyId([aKeyId('second')]);
      assertFound(byOld, next(token), keyed('first', { endsAt: 1 }));
      assertFound(byNew, next(token), keyed('second'));
      assert.deepEqual([byOld?.publicKey, byNew?.publicKey], [aKey('first').publicKey, aKey('second').publicKey]);
    },
  ],
  [
    'a rotation may add a key if there was none, and may leave it out again',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('first'));
      assert.equal(await rotate(store, token, keyed('second')), true);
      assert.equal(await rotate(store, next(token), aSecret('third')), true);
      assert.deepEqual(await tokensOf(store, ['first', 'second', 'third']), [null, 't1', null]);
      assert.equal((await store.findTokenByDigest([aDigest('third')]))?.secret.endsAt, null);
    },
  ],
  [
    'a change that rotates nothing leaves the keys, and is seen through them',
    async (store) => {
      const token = await insert(store, aToken('t1'), keyed('k1'));
      assert.equal(await replace(store, next(token, { revokedAt: T0 + 3 }), 1), true);
      const found = await store.findTokenByKeyId([aKeyId('k1')]);
      assert.deepEqual([found?.token.revokedAt, found?.publicKey], [T0 + 3, aKey('k1').publicKey]);
    },
  ],
  [
    'a deletion takes all keys of the token, and only those; their ids are free again',
    async (store) => {
      const token = await insert(store, aToken('t1'), keyed('first'));
      await insert(store, aToken('t2'), keyed('other'));
      assert.equal(await rotate(store, token, keyed('second')), true);
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      assert.deepEqual(await tokensOf(store, ['first', 'second', 'other']), [null, null, 't2']);
      await insert(store, aToken('t3'), aSecret('another', { key: aKey('first') }));
      assert.deepEqual(await tokensOf(store, ['first', 'second']), ['t3', null]);
      await insert(store, aToken('t1'), aSecret('first'));
      assert.deepEqual(await tokensOf(store, ['first', 'second']), ['t3', null]);
    },
  ],
];
