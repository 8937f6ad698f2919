import assert from 'node:assert/strict';
import type { NewToken } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  anEntry,
  aSecret,
  assertFound,
  aToken,
  aUsage,
  insert,
  insertAll,
  next,
  replace,
  type StoreCase,
  T0,
  wins,
} from './case.js';

const MANY = 60;

function aNewToken(id: string, secret = aSecret(id, { key: aKey(id) })): NewToken {
  return { token: aToken(id), secret, change: aChange('token.imported', id) };
}

const named = (count: number, start = 't') => Array.from({ length: count }, (_, index) => `${start}${index}`);

const aRemoval = (id: string, expectedVersion: number | null = null) => {
  return { id, expectedVersion, change: aChange('token.pruned', id) };
};

/** The subjects of the changes of this type, in the order of their texts. */
async function logged(store: Store, type: 'token.imported' | 'token.pruned'): Promise<readonly string[]> {
  const changes = await store.listChanges({ organization: null, type, limit: 1_000 });
  return changes.map(({ subject }) => subject).sort();
}

async function listed(store: Store): Promise<readonly string[]> {
  return (await store.listTokens({ organization: null, limit: 1_000 })).map(({ id }) => id).sort();
}

/** Many tokens in one call. */
export const batchCases: readonly StoreCase[] = [
  [
    'many tokens are written in one call, each with its secret, its key and its change',
    async (store) => {
      assert.deepEqual(await store.insertTokens([]), []);
      const tokens = named(MANY).map((id) => aNewToken(id));
      assert.deepEqual(
        await store.insertTokens(tokens),
        tokens.map(() => true),
      );
      for (const { token, secret, change } of tokens) {
        assertFound(await store.findTokenByDigest([secret.digest]), token, secret);
        assert.deepEqual({ ...(await store.findToken(token.id)) }, token);
        assert.equal((await store.findTokenByKeyId([aKeyId(token.id)]))?.publicKey, aKey(token.id).publicKey);
        const [found] = await store.listChanges({ organization: null, subject: token.id, limit: 2 });
        assert.deepEqual({ ...found }, change);
      }
    },
  ],
  [
    'in one call, tokens whose id, digest or key is taken are refused and leave nothing, and the others are written',
    async (store) => {
      for (const id of ['id', 'digest', 'key']) await insert(store, aToken(id), aSecret(id, { key: aKey(id) }));
      const answers = await store.insertTokens([
        aNewToken('a'),
        aNewToken('id', aSecret('fresh', { key: aKey('fresh') })),
        aNewToken('t1', aSecret('digest', { key: aKey('t1') })),
        aNewToken('b'),
        aNewToken('t2', aSecret('t2', { key: aKey('key') })),
        aNewToken('c'),
      ]);
      assert.deepEqual(answers, [true, false, false, true, false, true]);
      assert.deepEqual(await listed(store), ['a', 'b', 'c', 'digest', 'id', 'key']);
      assert.deepEqual(await logged(store, 'token.imported'), ['a', 'b', 'c']);
      assert.equal(await store.findTokenByDigest([aDigest('fresh'), aDigest('t2')]), null);
      assert.equal(await store.findTokenByKeyId([aKeyId('fresh'), aKeyId('t1')]), null);
    },
  ],
  [
    'of tokens in one call that share an id, a digest or a key exactly one is written',
    async (store) => {
      const answers = await store.insertTokens([
        aNewToken('t1'),
        aNewToken('t1', aSecret('other')),
        aNewToken('t2', aSecret('shared')),
        aNewToken('t3', aSecret('shared')),
        aNewToken('t4', aSecret('s4', { key: aKey('one') })),
        aNewToken('t5', aSecret('s5', { key: aKey('one') })),
      ]);
      assert.deepEqual(
        [0, 2, 4].map((index) => wins(answers.slice(index, index + 2))),
        [1, 1, 1],
      );
      const written = ['t1', 't1', 't2', 't3', 't4', 't5'].filter((_, index) => answers[index]);
      assert.deepEqual(await listed(store), written);
      assert.deepEqual(await logged(store, 'token.imported'), written);
      const found = await Promise.all(['other', 's4', 's5'].map((text) => store.findTokenByDigest([aDigest(text)])));
      assert.equal(found.filter((each) => each !== null).length, answers[1] ? 2 : 1);
    },
  ],
  [
    'of batches at once that share digests, in any order, each digest is written once',
    async (store) => {
      for (let round = 0; round < 3; round++) {
        const batches = Array.from({ length: 4 }, (_, batch) => {
          const shared = named(12, `r${round}s`).map((text) => aNewToken(`${text}b${batch}`, aSecret(text)));
          const tokens = [...shared, aNewToken(`r${round}own${batch}`)];
          return batch % 2 === 0 ? tokens : tokens.reverse();
        });
        const answers = await Promise.all(batches.map((batch) => store.insertTokens(batch)));
        const written = batches.flatMap((batch, index) => batch.filter((_, place) => answers[index]?.[place]));
        assert.equal(new Set(written.map(({ secret }) => secret.digest)).size, 16);
        assert.equal(written.length, 16);
        for (const { token, secret } of written) {
          assert.equal((await store.findTokenByDigest([secret.digest]))?.token.id, token.id);
        }
        const ofRound = (ids: readonly string[]) => ids.filter((id) => id.startsWith(`r${round}`));
        const ids = written.map(({ token }) => token.id).sort();
        assert.deepEqual(ofRound(await listed(store)), ids);
        assert.deepEqual(ofRound(await logged(store, 'token.imported')), ids);
      }
    },
  ],
  [
    'a batch writes nothing if one of its tokens can not be read',
    async (store) => {
      const bad = { ...aNewToken('t2') };
      Object.defineProperty(bad, 'secret', {
        get() {
          throw new Error('this field can not be read');
        },
      });
      await assert.rejects(async () => store.insertTokens([aNewToken('t1'), bad, aNewToken('t3')]), Error);
      assert.deepEqual(await listed(store), []);
      assert.deepEqual(await logged(store, 'token.imported'), []);
      assert.deepEqual(await store.insertTokens([aNewToken('t1')]), [true]);
    },
  ],
  [
    'a token is not removed if it is no longer at the expected version',
    async (store) => {
      const [same, edited] = [await insert(store, aToken('same')), await insert(store, aToken('edited'))];
      await store.recordUsage([aUsage('edited', T0, { a: 1 })]);
      assert.equal(await replace(store, next(edited), edited.version), true);
      const removals = [aRemoval('edited', edited.version), aRemoval('same', same.version), aRemoval('none', 1)];
      assert.deepEqual(await store.deleteTokens(removals), [false, true, false]);
      assert.deepEqual(await listed(store), ['edited']);
      assert.deepEqual(await logged(store, 'token.pruned'), ['same']);
      assert.equal((await store.findTokenByDigest([aDigest('edited')]))?.token.id, 'edited');
      assert.equal((await store.listUsage(['edited'])).length, 1);
      assert.deepEqual(await store.deleteTokens([aRemoval('edited', edited.version + 1)]), [true]);
    },
  ],
  [
    'many tokens are removed in one call with all that is theirs; one that is not there is said so',
    async (store) => {
      const tokens = named(MANY).map((id) => aNewToken(id));
      await store.insertTokens(tokens);
      const kept = await insert(store, aToken('kept'));
      await store.recordUsage([aUsage('t1', T0, { a: 1 }), aUsage('kept', T0, { a: 1 })]);
      assert.deepEqual(await store.deleteTokens([]), []);
      const removals = ['none', ...named(MANY), 't1'].map((id) => aRemoval(id));
      assert.deepEqual(
        await store.deleteTokens(removals),
        removals.map((_, index) => index > 0 && index <= MANY),
      );
      assert.deepEqual(await listed(store), [kept.id]);
      assert.deepEqual(await logged(store, 'token.pruned'), named(MANY).sort());
      assert.deepEqual(await store.listUsage(['t1']), []);
      assert.equal((await store.listUsage(['kept'])).length, 1);
      const digests = tokens.map(({ secret }) => secret.digest);
      assert.equal(await store.findTokenByDigest(digests), null);
      assert.equal(await store.findTokenByKeyId(tokens.map(({ token }) => aKeyId(token.id))), null);
      assert.equal(wins(await store.insertTokens(named(MANY).map((id) => aNewToken(id)))), MANY);
    },
  ],
  [
    'of removals of the same tokens at once, in any order, each token is removed once',
    async (store) => {
      const ids = named(20);
      await insertAll(
        store,
        ids.map((id) => aToken(id)),
      );
      const batches = [ids, [...ids].reverse(), ids.slice(5), [...ids].reverse().slice(5)];
      const answers = await Promise.all(batches.map((batch) => store.deleteTokens(batch.map((id) => aRemoval(id)))));
      assert.equal(wins(answers.flat()), ids.length);
      assert.deepEqual(await listed(store), []);
      assert.deepEqual(await logged(store, 'token.pruned'), [...ids].sort());
    },
  ],
  [
    'a listener is told of each token that one call removes, if the store has a feed',
    async (store) => {
      if (store.subscribe === undefined) return;
      const ids = named(5);
      await insertAll(
        store,
        ids.map((id) => aToken(id)),
      );
      const told = new Set<string>();
      const all = new Promise<void>((resolve) => {
        store.subscribe?.((invalidation) => {
          if (invalidation.kind === 'token') told.add(invalidation.id);
          if (invalidation.kind === 'everything' || told.size === ids.length) resolve();
        });
      });
      await store.deleteTokens(ids.map((id) => aRemoval(id)));
      await all;
    },
  ],
  [
    'several entries are found in one read: those that are there, and have not ended',
    async (store) => {
      for (const entry of [anEntry('e1'), anEntry('e2', { expiresAt: T0 + 5 }), anEntry('e3', { kind: 'session' })]) {
        assert.equal(await store.putEntry(entry, 0, T0), true);
      }
      const found = async (ids: readonly string[], now = T0) =>
        (await store.findEntries('login', ids, now)).map(({ id, value }) => `${id}: ${value}`).sort();
      const both = ['e1: value of e1', 'e2: value of e2'];
      assert.deepEqual(await found(['e2', 'e1', 'e3', 'none', 'e1']), both);
      assert.deepEqual(await found(['e1', 'e2'], T0 + 5), both.slice(0, 1));
      assert.deepEqual(await found([]), []);
      assert.deepEqual({ ...(await store.findEntries('login', ['e1'], T0))[0] }, anEntry('e1'));
    },
  ],
];
