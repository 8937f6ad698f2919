import assert from 'node:assert/strict';
import type { Change } from '../../ports/changes.js';
import type { NewSecret, SecretKey, StoredEntry } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  anEndpoint,
  anEntry,
  aSecret,
  assertFound,
  aToken,
  aUsage,
  DAY0,
  deleteToken,
  insert,
  insertToken,
  next,
  type StoreCase,
  T0,
} from './case.js';

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

const SECRET_FIELDS: readonly (keyof NewSecret)[] = ['digest', 'pepper', 'createdAt', 'endsAt', 'key'];
const KEY_FIELDS: readonly (keyof SecretKey)[] = ['id', 'publicKey'];
const ENTRY_FIELDS: readonly (keyof StoredEntry)[] = ['kind', 'id', 'value', 'expiresAt', 'version'];

/** A value with one field that throws when it is read. It stops a store in the middle of its work. */
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
      const rotation = { secret: aSecret('second'), othersEndAt: T0, at: T0 };
      for (const field of FIELDS) {
        const bad = spoilt(aChange('token.updated', 't1'), field);
        await refuses(() => insertToken(store, aToken('t2'), aSecret('t2'), bad), `insertToken ${field}`);
        await refuses(() => store.replaceToken(next(token), 1, rotation, bad), `replaceToken ${field}`);
        await refuses(() => store.revokeToken('t1', T0, bad), `revokeToken ${field}`);
        await refuses(() => deleteToken(store, 't1', bad), `deleteToken ${field}`);
        await refuses(() => store.insertEndpoint(anEndpoint('b'), bad), `insertEndpoint ${field}`);
        await refuses(() => store.replaceEndpoint({ ...endpoint, version: 2 }, 1, bad), `replaceEndpoint ${field}`);
        await refuses(() => store.deleteEndpoint('acme', 'a', bad), `deleteEndpoint ${field}`);
      }
      await assertUntouched(store);
      assert.equal(await store.replaceToken(next(token), 1, rotation, aChange('token.rotated', 't1')), true);
    },
  ],
  [
    'a token is neither written nor changed if its secret can not be written',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('t1', { key: aKey('t1') }));
      assert.equal(await store.insertEndpoint(anEndpoint('a'), aChange('endpoint.created', 'a')), true);
      const secret = (text: string) => aSecret(text, { key: aKey(text) });
      const bad = (text: string) => [
        ...SECRET_FIELDS.map((field) => spoilt(secret(text), field)),
        ...KEY_FIELDS.map((field) => ({ ...secret(text), key: spoilt(aKey(text), field) })),
      ];
      for (const [index, each] of bad('t2').entries()) {
        await refuses(() => insertToken(store, aToken('t2'), each, aChange('token.created', 't2')), `insert ${index}`);
      }
      for (const [index, each] of bad('second').entries()) {
        const rotation = { secret: each, othersEndAt: T0, at: T0 };
        const made = aChange('token.rotated', 't1');
        await refuses(() => store.replaceToken(next(token), 1, rotation, made), `replace ${index}`);
      }
      await assertUntouched(store);
      assert.equal(await store.findTokenByKeyId([aKeyId('t2'), aKeyId('second')]), null);
      await insert(store, aToken('t2'), secret('t2'));
      assert.equal((await store.findTokenByKeyId([aKeyId('t2')]))?.token.id, 't2');
    },
  ],
  [
    'an entry that can not be read is not written',
    async (store) => {
      const entry = anEntry('e1', { expiresAt: T0 + 9 });
      assert.equal(await store.putEntry(entry, 0, T0), true);
      for (const field of ENTRY_FIELDS) {
        await refuses(() => store.putEntry(spoilt(anEntry('e2'), field), 0, T0), `put of a new one, ${field}`);
        await refuses(() => store.putEntry(spoilt({ ...entry, version: 2 }, field), 1, T0), `put over one, ${field}`);
      }
      assert.deepEqual({ ...(await store.findEntry('login', 'e1', T0)) }, entry);
      assert.equal(await store.findEntry('login', 'e2', T0), null);
      assert.equal(await store.putEntry({ ...entry, version: 2 }, 1, T0), true);
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
      const unreadable = spoilt({ day: DAY0, endpoint: 'b', scope: '', count: 3 }, 'count');
      await refuses(() => store.recordUsage([first, { ...last, counts: [...last.counts, unreadable] }]), 'count');
      for (const id of ['t1', 't2']) {
        assert.equal((await store.findToken(id))?.lastUsedAt, null);
        assert.deepEqual(await store.listUsage([id]), []);
      }
      await store.recordUsage(batch);
      assert.deepEqual(
        [...(await store.listUsage(['t1'])), ...(await store.listUsage(['t2']))].map(({ count }) => count),
        [1, 2, 3],
      );
    },
  ],
];

async function assertUntouched(store: Store): Promise<void> {
  assert.deepEqual({ ...(await store.findToken('t1')) }, aToken('t1'));
  assertFound(await store.findTokenByDigest([aDigest('t1')]), aToken('t1'), aSecret('t1'));
  assert.equal(await store.findTokenByDigest([aDigest('second')]), null);
  assert.equal(await store.findToken('t2'), null);
  assert.equal(await store.findTokenByDigest([aDigest('t2')]), null);
  assert.deepEqual({ ...(await store.findEndpoint('acme', 'a')) }, anEndpoint('a'));
  assert.equal(await store.findEndpoint('acme', 'b'), null);
  assert.equal((await store.listChanges({ organization: null, limit: 100 })).length, 2);
}
