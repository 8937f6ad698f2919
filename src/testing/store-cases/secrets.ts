import assert from 'node:assert/strict';
import type { SecretRotation, StoredToken } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  aSecret,
  asRead,
  assertFound,
  aToken,
  deleteToken,
  insert,
  next,
  type StoreCase,
  T0,
  wins,
} from './case.js';

function rotate(store: Store, token: StoredToken, expectedVersion: number, rotation: SecretRotation): Promise<boolean> {
  return store.replaceToken(token, expectedVersion, rotation, aChange('token.rotated', token.id));
}

/** The end of each secret, by the text it was made from; `undefined` if it is not found. */
async function endsOf(store: Store, texts: readonly string[]): Promise<readonly (number | null | undefined)[]> {
  const found = await Promise.all(texts.map((text) => store.findTokenByDigest([aDigest(text)])));
  return found.map((each) => each?.secret.endsAt);
}

/** Several secrets of one token: lookups by candidates, and rotations. */
export const secretCases: readonly StoreCase[] = [
  [
    'the secrets of a token are listed, and those of no other; none of one that is gone',
    async (store) => {
      const listed = async (id: string) => [...(await store.listSecrets(id))].map((each) => ({ ...each }));
      const token = await insert(store, aToken('t1'), aSecret('s1', { pepper: 'old', key: aKey('s1') }));
      await insert(store, aToken('t2'), aSecret('s2'));
      assert.deepEqual(await listed('t1'), [asRead(aSecret('s1', { pepper: 'old' }))]);
      const secret = aSecret('s3', { createdAt: T0 + 1 });
      assert.ok(await rotate(store, next(token), 1, { secret, othersEndAt: T0 + 10, at: T0 + 1 }));
      const rotated = (await listed('t1')).sort((a, b) => a.createdAt - b.createdAt);
      assert.deepEqual(rotated, [asRead(aSecret('s1', { pepper: 'old', endsAt: T0 + 10 })), asRead(secret)]);
      assert.deepEqual(await listed('t2'), [asRead(aSecret('s2'))]);
      assert.ok(await deleteToken(store, 't1', aChange('token.deleted', 't1')));
      for (const id of ['t1', 'none', '']) assert.deepEqual(await listed(id), []);
    },
  ],
  [
    'of several candidates the one that is there is found, with its own secret',
    async (store) => {
      const absent = [aDigest('a'), aDigest('b'), aDigest('c')];
      const pairs = [
        [aToken('t1'), aSecret('s1', { pepper: 'old' })],
        [aToken('t2'), aSecret('s2', { pepper: 'new' })],
      ] as const;
      for (const [token, secret] of pairs) await insert(store, token, secret);
      for (const [token, secret] of pairs) {
        for (const digests of [
          [...absent, secret.digest],
          [secret.digest, ...absent],
        ]) {
          assertFound(await store.findTokenByDigest(digests), token, secret);
        }
      }
      assert.equal(await store.findTokenByDigest(absent), null);
    },
  ],
  [
    'of several candidates that are all there the first one counts',
    async (store) => {
      await insert(store, aToken('t1'), aSecret('s1'));
      await insert(store, aToken('t2'), aSecret('s2'));
      assert.equal((await store.findTokenByDigest([aDigest('s1'), aDigest('s2')]))?.token.id, 't1');
      assert.equal((await store.findTokenByDigest([aDigest('s2'), aDigest('s1')]))?.token.id, 't2');
    },
  ],
  [
    'after a rotation both secrets find the token, the old one with its end',
    async (store) => {
      const token = await insert(store, aToken('t1', { lastUsedAt: T0 + 7 }), aSecret('first'));
      const rotated = next(token, { hint: 'pst_next', lastUsedAt: null });
      const secret = aSecret('second', { createdAt: T0 + 1, pepper: 'p2' });
      assert.equal(await rotate(store, rotated, 1, { secret, othersEndAt: T0 + 100, at: T0 }), true);
      const old = aSecret('first', { endsAt: T0 + 100 });
      assertFound(await store.findTokenByDigest([aDigest('first')]), rotated, old);
      assertFound(await store.findTokenByDigest([aDigest('second')]), rotated, secret);
      assert.deepEqual({ ...(await store.findToken('t1')) }, { ...rotated, lastUsedAt: T0 + 7 });
    },
  ],
  [
    'a rotation ends the others at its time, and never later than they ended already',
    async (store) => {
      let token = await insert(store, aToken('t1'), aSecret('a'));
      const times = [T0 + 500, T0 + 100, T0 + 900];
      for (const [index, othersEndAt] of times.entries()) {
        const changed = next(token);
        const secret = aSecret('bcd'[index] as string);
        assert.equal(await rotate(store, changed, token.version, { secret, othersEndAt, at: T0 }), true);
        token = changed;
      }
      assert.deepEqual(await endsOf(store, ['a', 'b', 'c', 'd']), [T0 + 100, T0 + 100, T0 + 900, null]);
    },
  ],
  [
    'a rotation removes the secrets that had ended by then, with their keys, and the one that it replaces goes with the next',
    async (store) => {
      const keyed = (text: string) => aSecret(text, { key: aKey(text) });
      let token = await insert(store, aToken('t1'), keyed('a'));
      for (const [index, text] of ['b', 'c', 'd'].entries()) {
        const at = T0 + index;
        const changed = next(token);
        assert.equal(await rotate(store, changed, token.version, { secret: keyed(text), othersEndAt: at, at }), true);
        token = changed;
      }
      assert.deepEqual(await endsOf(store, ['a', 'b', 'c', 'd']), [undefined, undefined, T0 + 2, null]);
      assert.equal(await store.findTokenByKeyId(['a', 'b'].map(aKeyId)), null);
      // Both are free again: nothing of them is left.
      await insert(store, aToken('t2'), keyed('a'));
    },
  ],
  [
    'a token has ten secrets at most: of those that live the earliest created go first, the one without an end never',
    async (store) => {
      // After a clock that was ahead, the secret without an end may be older than the one it replaced.
      let token = await insert(store, aToken('t1'), aSecret('0', { createdAt: T0 + 500 }));
      await insert(store, aToken('t2'), aSecret('another'));
      const texts = Array.from({ length: 13 }, (_, index) => String(index));
      for (const text of texts.slice(1)) {
        const changed = next(token);
        const secret = aSecret(text, { createdAt: T0 + Number(text), key: aKey(text) });
        const rotation = { secret, othersEndAt: T0 + 10_000, at: T0 + Number(text) };
        assert.equal(await rotate(store, changed, token.version, rotation), true);
        token = changed;
      }
      const ends = await endsOf(store, texts);
      const gone = ends.flatMap((end, index) => (end === undefined ? [index] : []));
      assert.deepEqual(gone, [1, 2, 3]);
      assert.equal(ends.at(-1), null);
      assert.equal(await store.findTokenByKeyId(gone.map((index) => aKeyId(String(index)))), null);
      assert.deepEqual(await endsOf(store, ['another']), [null]);
      const early = { secret: aSecret('early', { createdAt: T0 - 500 }), othersEndAt: T0 + 10_000, at: T0 + 20 };
      assert.equal(await rotate(store, next(token), token.version, early), true);
      const last = { secret: aSecret('last', { createdAt: T0 + 30 }), othersEndAt: T0 + 10_000, at: T0 + 30 };
      assert.equal(await rotate(store, next(next(token)), token.version + 1, last), true);
      assert.deepEqual(await endsOf(store, ['early', 'last']), [T0 + 10_000, null]);
    },
  ],
  [
    'a rotation ends no secret of another token',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('a'));
      await insert(store, aToken('t2'), aSecret('b'));
      assert.equal(await rotate(store, next(token), 1, { secret: aSecret('c'), othersEndAt: T0, at: T0 }), true);
      assert.deepEqual(await endsOf(store, ['a', 'b', 'c']), [T0, null, null]);
    },
  ],
  [
    'of several rotations at once exactly one wins, and the losers leave no secret and end none',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('first'));
      const texts = Array.from({ length: 8 }, (_, index) => `next ${index}`);
      const answers = await Promise.all(
        texts.map((text, index) =>
          rotate(store, next(token, { hint: text }), 1, {
            secret: aSecret(text),
            othersEndAt: T0 + 1_000 - index,
            at: T0,
          }),
        ),
      );
      assert.equal(wins(answers), 1);
      const winner = answers.indexOf(true);
      assert.deepEqual(await endsOf(store, ['first']), [T0 + 1_000 - winner]);
      assert.deepEqual(
        await endsOf(store, texts),
        texts.map((_, index) => (index === winner ? null : undefined)),
      );
      assert.equal((await store.findToken('t1'))?.hint, texts[winner]);
    },
  ],
  [
    'a rotation to a digest that is taken is refused and changes nothing',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('mine'));
      const other = await insert(store, aToken('t2'), aSecret('taken'));
      for (const text of ['taken', 'mine']) {
        const rotation = { secret: aSecret(text, { createdAt: T0 + 9 }), othersEndAt: T0 + 1, at: T0 };
        assert.equal(await rotate(store, next(token, { hint: 'pst_lost' }), 1, rotation), false, text);
      }
      assert.deepEqual({ ...(await store.findToken('t1')) }, token);
      assertFound(await store.findTokenByDigest([aDigest('taken')]), other, aSecret('taken'));
      assert.deepEqual(await endsOf(store, ['mine', 'taken']), [null, null]);
    },
  ],
  [
    'a rotation of another version is refused and changes nothing',
    async (store) => {
      const token = await insert(store, aToken('t1', { version: 2 }), aSecret('first'));
      const rotation = { secret: aSecret('second'), othersEndAt: T0 + 1, at: T0 };
      assert.equal(await rotate(store, next(token), 1, rotation), false);
      assert.deepEqual(await endsOf(store, ['first', 'second']), [null, undefined]);
    },
  ],
  [
    'a deletion takes all secrets of a token',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('first'));
      await rotate(store, next(token), 1, { secret: aSecret('second'), othersEndAt: T0 + 1, at: T0 });
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      assert.deepEqual(await endsOf(store, ['first', 'second']), [undefined, undefined]);
    },
  ],
];
