import assert from 'node:assert/strict';
import type { Store } from '../../ports/store.js';
import { aChange, anEntry, aSecret, aToken, insert, insertToken, next, replace, type StoreCase, T0 } from './case.js';

const HOUR = 3_600_000;

/** Writes one change of a token at each of these times. */
async function changesAt(store: Store, subject: string, organization: string, times: readonly number[]) {
  for (const [index, at] of times.entries()) {
    const token = aToken(`${subject}${index}`, { organization });
    const change = aChange('token.created', subject, organization, { at });
    assert.equal(await insertToken(store, token, aSecret(token.id), change), true);
  }
}

async function timesOf(store: Store, query: { organization: string | null; subject?: string }) {
  return (await store.listChanges({ ...query, limit: 100 })).map(({ at }) => at - T0);
}

/** Removal of old changes and ended entries. */
export const trimmingCases: readonly StoreCase[] = [
  [
    'changes before a time are removed in batches, the oldest first, from every listing, and no others',
    async (store) => {
      await changesAt(store, 'a', 'acme', [T0 + 4, T0 + 1, T0 + 3, T0 + 2]);
      await changesAt(store, 'b', 'other', [T0 + 1, T0 + 5]);
      assert.equal(await store.trimChanges(T0 + 4, 2), 2);
      assert.deepEqual(await timesOf(store, { organization: null }), [5, 4, 3, 2]);
      assert.equal(await store.trimChanges(T0 + 4, 3), 2);
      assert.equal(await store.trimChanges(T0 + 4, 3), 0);
      assert.deepEqual(await timesOf(store, { organization: null }), [5, 4]);
      assert.deepEqual(await timesOf(store, { organization: 'acme' }), [4]);
      assert.deepEqual(await timesOf(store, { organization: null, subject: 'b' }), [5]);
      assert.notEqual(await store.findToken('a1'), null);
    },
  ],
  [
    'of several that trim at once each change is removed by one, and changes are written meanwhile',
    async (store) => {
      await changesAt(
        store,
        'a',
        'acme',
        Array.from({ length: 40 }, (_, index) => T0 + index),
      );
      const token = await insert(store, aToken('t1'));
      const trims = Array.from({ length: 4 }, () => store.trimChanges(T0 + 19, 5));
      assert.equal(await replace(store, next(token), 1), true);
      let trimmed = (await Promise.all(trims)).reduce((sum, count) => sum + count, 0);
      for (let count = 1; count > 0; trimmed += count) count = await store.trimChanges(T0 + 19, 5);
      // The first 19, and the two at T0 that `insert` and `replace` wrote.
      assert.equal(trimmed, 21);
      assert.equal((await timesOf(store, { organization: 'acme' })).length, 21);
    },
  ],
  [
    'a log that was trimmed whole takes changes as before',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      assert.equal(await store.trimChanges(T0 + 1, 10), 1);
      assert.deepEqual(await timesOf(store, { organization: null }), []);
      assert.equal(await replace(store, next(token), 1), true);
      assert.deepEqual(await timesOf(store, { organization: null }), [0]);
    },
  ],
  [
    'entries that ended long ago are removed in batches, and live ones stay unchanged',
    async (store) => {
      const ended = Array.from({ length: 25 }, (_, index) => anEntry(`ended${index}`, { expiresAt: T0 + index }));
      const living = [anEntry('never'), anEntry('later', { expiresAt: T0 + 3 * HOUR })];
      for (const entry of [...ended, ...living]) assert.equal(await store.putEntry(entry, 0, T0 - 1), true);
      let trimmed = 0;
      for (let count = 1; count > 0; trimmed += count) {
        count = await store.trimEntries(T0 + HOUR, 10);
        assert.ok(count <= 10, `${count} of 10`);
      }
      assert.ok(trimmed === 0 || trimmed === 25, `${trimmed} of 25`);
      for (const entry of living) {
        assert.deepEqual({ ...(await store.findEntry(entry.kind, entry.id, T0 + HOUR)) }, entry);
      }
      assert.equal(await store.findEntry('login', 'ended3', T0 + HOUR), null);
      assert.equal(await store.putEntry(anEntry('ended3'), 0, T0 + HOUR), true);
    },
  ],
];
