import { createPostern, memoryStore } from 'postern';
import { expect, test } from 'vitest';
import { aChange, aToken, insert } from '../../src/testing/store-cases/case.js';

test('a token whose end is moved between the list of the expired and their removal stays', async () => {
  const store = memoryStore();
  const before = await insert(store, aToken('late', { expiresAt: 1 }));
  const postern = createPostern({
    store: {
      ...store,
      // An edit that was begun before the end, here or in a process whose clock is behind.
      listExpiredTokens: async (...query) => {
        const expired = await store.listExpiredTokens(...query);
        const renewed = { ...before, expiresAt: Date.now() + 60_000, version: before.version + 1 };
        await store.replaceToken(renewed, before.version, null, aChange('token.updated', 'late'));
        return expired;
      },
    },
  });
  expect(await postern.tokens.pruneExpired()).toBe(0);
  expect(await store.findToken('late')).not.toBeNull();
});
