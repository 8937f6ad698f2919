import assert from 'node:assert/strict';
import type { Confirmation, Invalidation, Store } from '../../ports/store.js';
import {
  aChange,
  aDigest,
  aKeyId,
  anEndpoint,
  anEntry,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  insertToken,
  next,
  replace,
  type StoreCase,
  T0,
} from './case.js';

/** Every method of a store, except `subscribe` and `close`. */
function everyCall(store: Store): readonly (readonly [string, () => Promise<unknown>])[] {
  const token = aToken('t1');
  const endpoint = anEndpoint('a');
  return [
    ['findTokenByDigest', () => store.findTokenByDigest([aDigest('t1')])],
    ['findTokenByKeyId', () => store.findTokenByKeyId([aKeyId('t1')])],
    ['findToken', () => store.findToken('t1')],
    ['listTokens', () => store.listTokens({ organization: null, limit: 1 })],
    ['countTokens', () => store.countTokens({ organization: null }, 1)],
    ['countTokens of a search', () => store.countTokens({ organization: 'acme', search: 'x' }, 1)],
    ['insertTokens', () => insertToken(store, token, aSecret('t1'), aChange('token.created', 't1'))],
    ['replaceToken', () => replace(store, next(token), 1)],
    ['revokeToken', () => store.revokeToken('t1', T0, aChange('token.revoked', 't1'))],
    ['deleteTokens', () => deleteToken(store, 't1', aChange('token.deleted', 't1'))],
    ['listExpiredTokens', () => store.listExpiredTokens(null, T0, 1)],
    ['recordUsage', () => store.recordUsage([aUsage('t1', T0, { a: 1 })])],
    ['listUsage', () => store.listUsage(['t1'])],
    ['listChanges', () => store.listChanges({ organization: null, limit: 1 })],
    ['trimChanges', () => store.trimChanges(T0, 1)],
    ['findEndpoint', () => store.findEndpoint('acme', 'a')],
    ['findEndpoints', () => store.findEndpoints('acme', ['a'])],
    ['listEndpoints', () => store.listEndpoints({ organization: 'acme', limit: 1 })],
    ['insertEndpoint', () => store.insertEndpoint(endpoint, aChange('endpoint.created', 'a'))],
    ['replaceEndpoint', () => store.replaceEndpoint(endpoint, 1, aChange('endpoint.updated', 'a'))],
    ['deleteEndpoint', () => store.deleteEndpoint('acme', 'a', aChange('endpoint.deleted', 'a'))],
    ['findEntry', () => store.findEntry('login', 'e1', T0)],
    ['findEntries', () => store.findEntries('login', ['e1'], T0)],
    ['putEntry', () => store.putEntry(anEntry('e1'), 0, T0)],
    ['deleteEntry', () => store.deleteEntry('login', 'e1', 1, T0)],
    ['trimEntries', () => store.trimEntries(T0, 1)],
    ...(store.confirm === undefined ? [] : ([['confirm', () => confirmed(store)]] as const)),
  ];
}

/** Long enough for any store that answers, and shorter than any test runner's limit. Milliseconds. */
const CONFIRM_LIMIT = 3_000;

async function confirmed(store: Store): Promise<Confirmation> {
  assert.ok(store.confirm);
  return store.confirm(CONFIRM_LIMIT);
}

/** Listens for changes. `heard` waits until a change is told; only the test runner's limit ends the wait. */
function listen(store: Store) {
  const told: Invalidation[] = [];
  let wake = () => {};
  const stop = store.subscribe?.((invalidation) => {
    told.push(invalidation);
    wake();
  });
  const covers = (wanted: Invalidation) =>
    told.some((each) => each.kind === 'everything' || JSON.stringify(each) === JSON.stringify(wanted));
  return {
    stop: () => stop?.(),
    count: () => told.length,
    async heard(wanted: Invalidation) {
      while (!covers(wanted)) await new Promise<void>((resolve) => (wake = resolve));
      told.length = 0;
    },
  };
}

/** Opening, load, feeds and closing. */
export const lifecycleCases: readonly StoreCase[] = [
  [
    'every call works on an empty store as its first one, many of them at once',
    async (store) => {
      const calls = everyCall(store);
      const settled = await Promise.allSettled(Array.from({ length: 5 }, () => calls.map(([, call]) => call())).flat());
      assert.deepEqual(
        settled.filter(({ status }) => status === 'rejected'),
        [],
      );
    },
  ],
  [
    'each call reads the writes of the call before it, for many tokens at once',
    async (store) => {
      const tokens = Array.from({ length: 100 }, (_, index) => aToken(`t${index}`));
      await Promise.all(
        tokens.map(async (token) => {
          await insert(store, token);
          assert.equal((await store.findTokenByDigest([aDigest(token.id)]))?.token.id, token.id);
          assert.equal(await replace(store, next(token, { revokedAt: T0 + 1 }), 1), true);
          assert.equal((await store.findTokenByDigest([aDigest(token.id)]))?.token.revokedAt, T0 + 1);
          assert.equal(await deleteToken(store, token.id, aChange('token.deleted', token.id)), true);
          assert.equal(await store.findTokenByDigest([aDigest(token.id)]), null);
        }),
      );
      assert.deepEqual(await store.listTokens({ organization: null, limit: 10 }), []);
    },
  ],
  [
    'returned and given objects are copies: changing them does not change the store',
    async (store) => {
      const names = ['user'];
      await insert(store, aToken('t1', { typeNames: names }));
      names.push('developer');
      assert.deepEqual((await store.findToken('t1'))?.typeNames, ['user']);
      const page = (await store.listTokens({ organization: null, limit: 10 })) as unknown[];
      page.length = 0;
      assert.equal((await store.listTokens({ organization: null, limit: 10 })).length, 1);
    },
  ],
  [
    'a listener is told of each change, if the store has a feed',
    async (store) => {
      if (store.subscribe === undefined) return;
      const token = await insert(store, aToken('t1'));
      const ear = listen(store);
      await replace(store, next(token), 1);
      await ear.heard({ kind: 'token', id: 't1' });
      const rotation = { secret: aSecret('other'), othersEndAt: T0, at: T0 };
      await store.replaceToken(next(next(token)), 2, rotation, aChange('token.rotated', 't1'));
      await ear.heard({ kind: 'token', id: 't1' });
      await store.revokeToken('t1', T0, aChange('token.revoked', 't1'));
      await ear.heard({ kind: 'token', id: 't1' });
      await deleteToken(store, 't1', aChange('token.deleted', 't1'));
      await ear.heard({ kind: 'token', id: 't1' });
      const endpoint = anEndpoint('a');
      await store.insertEndpoint(endpoint, aChange('endpoint.created', 'a'));
      await ear.heard({ kind: 'endpoints', organization: 'acme' });
      await store.replaceEndpoint({ ...endpoint, version: 2 }, 1, aChange('endpoint.updated', 'a'));
      await ear.heard({ kind: 'endpoints', organization: 'acme' });
      await store.deleteEndpoint('acme', 'a', aChange('endpoint.deleted', 'a'));
      await ear.heard({ kind: 'endpoints', organization: 'acme' });
      ear.stop();
    },
  ],
  [
    'a listener that throws changes nothing, and one that has stopped hears nothing more',
    async (store) => {
      if (store.subscribe === undefined) return;
      const token = await insert(store, aToken('t1'));
      store.subscribe(() => {
        throw new Error('a listener failed');
      });
      const stopped = listen(store);
      stopped.stop();
      stopped.stop();
      const ear = listen(store);
      assert.equal(await replace(store, next(token), 1), true);
      await ear.heard({ kind: 'token', id: 't1' });
      assert.equal(stopped.count(), 0);
    },
  ],
  [
    'a confirmation comes once all listeners were told, if the store gives any; nobody is missing then',
    async (store) => {
      if (store.subscribe === undefined || store.confirm === undefined) return;
      const token = await insert(store, aToken('t1'));
      const ear = listen(store);
      await replace(store, next(token), 1);
      const { acknowledged, missing } = await confirmed(store);
      assert.ok(ear.count() > 0, 'the listener was not told before');
      assert.ok(acknowledged >= 1, `${acknowledged} have acknowledged`);
      assert.equal(missing, 0);
      ear.stop();
    },
  ],
  [
    'confirmations asked for at once all come',
    async (store) => {
      if (store.subscribe === undefined || store.confirm === undefined) return;
      const ear = listen(store);
      const answers = await Promise.all(Array.from({ length: 5 }, () => confirmed(store)));
      assert.deepEqual(
        answers.map(({ missing }) => missing),
        [0, 0, 0, 0, 0],
      );
      ear.stop();
    },
  ],
  [
    'closing is idempotent, at once too, and every call after it rejects',
    async (store) => {
      await insert(store, aToken('t0'));
      await Promise.all([store.close(), store.close()]);
      await store.close();
      for (const [name, call] of everyCall(store)) {
        await assert.rejects(async () => call(), Error, name);
      }
    },
  ],
  [
    'a store that was never used can be closed',
    async (store) => {
      await store.close();
      await assert.rejects(async () => store.findToken('t1'), Error);
    },
  ],
];
