import assert from 'node:assert/strict';
import type { Store } from '../../ports/store.js';
import {
  aChange,
  aDigest,
  aKey,
  aKeyId,
  aSecret,
  aToken,
  aUsage,
  deleteToken,
  insert,
  next,
  replace,
  type StoreCase,
  T0,
  wins,
} from './case.js';

const AT = T0 + 1_000;

function revoke(store: Store, id: string, at = AT): Promise<boolean> {
  return store.revokeToken(id, at, aChange('token.revoked', id));
}

/** Runs `work` while `edits` loops keep editing the token, each from its latest read. */
async function whileEdited(store: Store, id: string, edits: number, work: () => Promise<void>): Promise<void> {
  let isOver = false;
  const edit = async () => {
    while (!isOver) {
      const token = await store.findToken(id);
      if (token === null) return;
      await replace(store, next(token, { name: `${token.version}` }), token.version);
    }
  };
  const running = Promise.all(Array.from({ length: edits }, edit));
  try {
    await Promise.all([
      running,
      work().finally(() => {
        isOver = true;
      }),
    ]);
  } finally {
    isOver = true;
    await running.catch(() => {});
  }
}

async function logged(store: Store, subject: string, type: 'token.revoked' | 'token.deleted'): Promise<number> {
  return (await store.listChanges({ organization: null, subject, type, limit: 100 })).length;
}

/** Revocation and deletion need no version, never conflict, and are not undone by any edit. */
export const endingCases: readonly StoreCase[] = [
  [
    'a revocation sets its time, adds 1 to any version, and leaves the rest',
    async (store) => {
      const token = await insert(store, aToken('t1', { version: 41, expiresAt: AT + 1, limits: '{}' }));
      await store.recordUsage([aUsage('t1', T0 + 7, { a: 2 })]);
      const other = await insert(store, aToken('t2'));
      assert.equal(await revoke(store, 't1'), true);
      const revoked = { ...token, revokedAt: AT, updatedAt: AT, lastUsedAt: T0 + 7, version: 42 };
      assert.deepEqual({ ...(await store.findToken('t1')) }, revoked);
      assert.deepEqual({ ...(await store.listTokens({ organization: 'acme', limit: 2 }))[1] }, revoked);
      assert.deepEqual({ ...(await store.findToken('t2')) }, other);
      assert.equal((await store.listUsage(['t1']))[0]?.count, 2);
      assert.equal(await replace(store, next(revoked, { name: 'later' }), 42), true);
      assert.equal((await store.findToken('t1'))?.revokedAt, AT);
    },
  ],
  [
    'a revocation is found by every secret and every key of the token',
    async (store) => {
      const token = await insert(store, aToken('t1'), aSecret('first', { key: aKey('first') }));
      const secret = aSecret('second', { key: aKey('second'), createdAt: T0 + 1 });
      const rotation = { secret, othersEndAt: AT + 1, at: T0 };
      assert.equal(await store.replaceToken(next(token), 1, rotation, aChange('token.rotated', 't1')), true);
      assert.equal(await revoke(store, 't1'), true);
      for (const text of ['first', 'second']) {
        assert.equal((await store.findTokenByDigest([aDigest(text)]))?.token.revokedAt, AT, text);
        assert.equal((await store.findTokenByKeyId([aKeyId(text)]))?.token.revokedAt, AT, text);
      }
    },
  ],
  [
    'a second revocation, and one of a token that is gone, says so and changes nothing',
    async (store) => {
      await insert(store, aToken('t1'));
      assert.equal(await revoke(store, 't1'), true);
      const revoked = await store.findToken('t1');
      assert.equal(await revoke(store, 't1', AT + 500), false);
      assert.equal(await revoke(store, 'none'), false);
      assert.deepEqual(await store.findToken('t1'), revoked);
      assert.equal(await logged(store, 't1', 'token.revoked'), 1);
      assert.equal(await logged(store, 'none', 'token.revoked'), 0);
      assert.equal(await deleteToken(store, 't1', aChange('token.deleted', 't1')), true);
      assert.equal(await revoke(store, 't1'), false);
      assert.equal(await store.findToken('t1'), null);
    },
  ],
  [
    'of several revocations at once exactly one is told that it revoked, and one is logged',
    async (store) => {
      await insert(store, aToken('t1'));
      const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => revoke(store, 't1', AT + index)));
      assert.equal(wins(answers), 1);
      const token = await store.findToken('t1');
      assert.deepEqual([token?.revokedAt, token?.version], [AT + answers.indexOf(true), 2]);
      assert.equal(await logged(store, 't1', 'token.revoked'), 1);
    },
  ],
  [
    'a revocation holds though its holder keeps ten edits in flight, and never conflicts with them',
    async (store) => {
      for (let round = 0; round < 10; round++) {
        const { id } = await insert(store, aToken(`t${round}`));
        await whileEdited(store, id, 10, async () => {
          assert.equal(await revoke(store, id), true);
          for (let reads = 0; reads < 3; reads++) await store.findToken(id);
        });
        assert.equal((await store.findToken(id))?.revokedAt, AT);
      }
    },
  ],
  [
    'an edit from a read before a revocation is refused, a rotation too',
    async (store) => {
      const token = await insert(store, aToken('t1'));
      assert.equal(await revoke(store, 't1'), true);
      assert.equal(await replace(store, next(token, { name: 'late' }), 1), false);
      const rotation = { secret: aSecret('late'), othersEndAt: T0, at: T0 };
      assert.equal(await store.replaceToken(next(token), 1, rotation, aChange('token.rotated', 't1')), false);
      assert.equal(await store.findTokenByDigest([aDigest('late')]), null);
      assert.equal((await store.findToken('t1'))?.revokedAt, AT);
    },
  ],
  [
    'a deletion among edits and rotations in flight takes the token and all its secrets, and never conflicts',
    async (store) => {
      for (let round = 0; round < 10; round++) {
        const token = await insert(store, aToken(`t${round}`));
        const texts = Array.from({ length: 5 }, (_, index) => `${round} ${index}`);
        await whileEdited(store, token.id, 5, async () => {
          const rotations = texts.map((text) => {
            const rotation = { secret: aSecret(text), othersEndAt: AT, at: T0 };
            return store.replaceToken(next(token), 1, rotation, aChange('token.rotated', token.id));
          });
          const [isDeleted] = await Promise.all([
            deleteToken(store, token.id, aChange('token.deleted', token.id)),
            ...rotations,
          ]);
          assert.equal(isDeleted, true);
        });
        assert.equal(await store.findToken(token.id), null);
        assert.equal(await store.findTokenByDigest([token.id, ...texts].map(aDigest)), null);
        assert.equal(await logged(store, token.id, 'token.deleted'), 1);
      }
    },
  ],
  [
    'of revocations and deletions at once one deletes, at most one revokes, and the token is gone',
    async (store) => {
      await insert(store, aToken('t1'));
      const revocations = Array.from({ length: 4 }, () => revoke(store, 't1'));
      const deletions = Array.from({ length: 4 }, () => deleteToken(store, 't1', aChange('token.deleted', 't1')));
      const revoked = wins(await Promise.all(revocations));
      assert.equal(wins(await Promise.all(deletions)), 1);
      assert.ok(revoked <= 1);
      assert.equal(await logged(store, 't1', 'token.revoked'), revoked);
      assert.equal(await store.findToken('t1'), null);
    },
  ],
];
