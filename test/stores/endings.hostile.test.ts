import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Store } from 'postern/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aSecret, aToken } from '../../src/testing/store-cases/case.js';
import { startPeer } from './child.js';
import { aNewChange, openStore } from './databases.js';
import { useDatabases } from './use-databases.js';

describe.each(await useDatabases())('two processes that share a store ($kind)', ({ aDatabase }) => {
  let store: Store;
  let tell: ReturnType<typeof startPeer>['tell'];
  const insert = (id: string, at = 1) =>
    store.insertToken(aToken(id), aSecret(id), aNewChange('token.created', id, { at }));
  const logged = async (subject: string) =>
    (await store.listChanges({ organization: null, subject, type: 'token.revoked', limit: 10 })).length;

  beforeAll(async () => {
    const database = await aDatabase();
    store = openStore(database);
    ({ tell } = startPeer(database));
  });
  afterAll(async () => {
    await tell('close');
    await store.close();
  });

  it('a revocation holds though the other process keeps ten edits of the token in flight', async () => {
    for (let round = 0; round < 5; round++) {
      const id = `edited${round}`;
      expect(await insert(id)).toBe(true);
      await tell('edit', id);
      expect(await store.revokeToken(id, 2, aNewChange('token.revoked', id))).toBe(true);
      const { version = 0 } = (await store.findToken(id)) ?? {};
      // The other process goes on with what it reads now.
      while (((await store.findToken(id))?.version ?? 0) < version + 10) await nextTurn();
      await tell('stop');
      expect((await store.findToken(id))?.revokedAt).toBe(2);
    }
  });

  it('a deletion takes the token though the other process keeps ten edits of it in flight', async () => {
    for (let round = 0; round < 5; round++) {
      const id = `gone${round}`;
      expect(await insert(id)).toBe(true);
      await tell('edit', id);
      expect(await store.deleteToken(id, aNewChange('token.deleted', id))).toBe(true);
      await tell('stop');
      expect(await store.findToken(id)).toBeNull();
    }
  });

  it('of two concurrent revocations of a token exactly one returns true, and one is logged', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `both${index}`);
    for (const id of ids) expect(await insert(id)).toBe(true);
    const [theirs, ours] = await Promise.all([
      tell<boolean[]>('end', ids),
      Promise.all(ids.map((id) => store.revokeToken(id, 3, aNewChange('token.revoked', id)))),
    ]);
    for (const [index, id] of ids.entries()) {
      expect(theirs[index], id).toBe(!ours[index]);
      expect((await store.findToken(id))?.revokedAt).toBe(ours[index] ? 3 : 2);
      expect(await logged(id)).toBe(1);
    }
  });

  it('two processes that trim at once remove each change only once', async () => {
    for (let index = 0; index < 60; index++) expect(await insert(`old${index}`, -1_000 + index)).toBe(true);
    const ours = async () => {
      let trimmed = 0;
      for (let count = 1; count > 0; trimmed += count) count = await store.trimChanges(-950, 7);
      return trimmed;
    };
    const [theirs, mine] = await Promise.all([tell<number>('trim', -950), ours()]);
    expect(theirs + mine).toBe(50);
    const left = await store.listChanges({ organization: null, after: { at: 0, id: '' }, limit: 100 });
    expect(left.map(({ at }) => at)).toEqual([-941, -942, -943, -944, -945, -946, -947, -948, -949, -950]);
  });
});
