import assert from 'node:assert/strict';
import type { Change, Store } from '../../services/ports.js';
import { aChange, aDigest, anEndpoint, aSecret, aToken, aUsage, insert, next, type StoreCase, T0 } from './case.js';

const FIELDS: readonly (keyof Change)[] = [
  'id',
  'type',
  'at',
  'actor',
  'from',
  'organization',
  'subject',
  'before',
  'after',
];

/** A value with one field that throws when it is read: what stops a store in the middle of its work. */
function spoilt<T extends object>(value: T, field: keyof T): T {
  return Object.defineProperty({ ...value }, field, {
    enumerable: true,
    get() {
      throw new Error('this field can not be read');
    },
  });
}

async function refuses(call: () => Promise<unknown>, message: string): Promise<void> {
  await assert.rejects(async () => call(), Error, message);
}

/** A call that fails in the middle has changed nothing, and the next one works. */
export const halfwayCases: readonly StoreCase[] = [
  [
    'a change that can not be written to the log is not made',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      const endpoint = anEndpoint('a');
      assert.equal(await store.insertEndpoint(endpoint, aChange('endpoint.created', 'a')), true);
      const rotation = { secret: aSecret('second'), othersEndAt: T0 };
      for (const field of FIELDS) {
        const bad = spoilt(aChange('token.updated', 't1'), field);
        await refuses(() => store.insertToken(aToken('t2'), aSecret('t2'), bad), `insertToken ${field}`);
        await refuses(() => store.replaceToken(next(token), 1, rotation, bad), `replaceToken ${field}`);
        await refuses(() => store.deleteToken('t1', bad), `deleteToken ${field}`);
        await refuses(() => store.insertEndpoint(anEndpoint('b'), bad), `insertEndpoint ${field}`);
        await refuses(() => store.replaceEndpoint({ ...endpoint, version: 2 }, 1, bad), `replaceEndpoint ${field}`);
        await refuses(() => store.deleteEndpoint('acme', 'a', bad), `deleteEndpoint ${field}`);
      }
      await assertUntouched(store);
      assert.equal(await store.replaceToken(next(token), 1, rotation, aChange('token.rotated', 't1')), true);
    },
  ],
  [
    'a batch of uses that fails at its end has counted nothing, and is counted once when it is written again',
    async (store) => {
      await insert(store, aToken('t1'));
      await insert(store, aToken('t2'));
      const batch = [aUsage('t1', T0 + 1, { a: 1 }), aUsage('t2', T0 + 2, { a: 2, b: 3 })];
      const [first, last] = batch as [(typeof batch)[0], (typeof batch)[0]];
      for (const field of ['tokenId', 'lastUsedAt', 'counts'] as const) {
        await refuses(() => store.recordUsage([first, spoilt(last, field)]), field);
      }
      const unreadable = spoilt({ endpoint: 'b', count: 3 }, 'count');
      await refuses(() => store.recordUsage([first, { ...last, counts: [...last.counts, unreadable] }]), 'count');
      for (const id of ['t1', 't2']) {
        assert.equal((await store.findToken(id))?.lastUsedAt, null);
        assert.deepEqual(await store.listUsage(id), []);
      }
      await store.recordUsage(batch);
      assert.deepEqual(
        [...(await store.listUsage('t1')), ...(await store.listUsage('t2'))].map(({ count }) => count),
        [1, 2, 3],
      );
    },
  ],
];

async function assertUntouched(store: Store): Promise<void> {
  assert.deepEqual({ ...(await store.findToken('t1')) }, aToken('t1'));
  assert.deepEqual({ ...(await store.findTokenByDigest([aDigest('t1')]))?.secret }, aSecret('t1'));
  assert.equal(await store.findTokenByDigest([aDigest('second')]), null);
  assert.equal(await store.findToken('t2'), null);
  assert.equal(await store.findTokenByDigest([aDigest('t2')]), null);
  assert.deepEqual({ ...(await store.findEndpoint('acme', 'a')) }, anEndpoint('a'));
  assert.equal(await store.findEndpoint('acme', 'b'), null);
  assert.equal((await store.listChanges({ organization: null, limit: 100 })).length, 2);
}
