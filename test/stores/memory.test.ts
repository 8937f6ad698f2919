import { memoryStore } from 'postern';
import { testStore } from 'postern/testing';
import { expect, it } from 'vitest';
import { MemoryEntries } from '../../src/stores/memory/entries.js';
import { anEntry, aToken, insert } from '../../src/testing/store-cases/case.js';

testStore('memoryStore', memoryStore);

it('a count of what no counter tells stops at its bound', async () => {
  const store = memoryStore();
  for (const id of ['t1', 't2', 't3']) await insert(store, aToken(id));
  expect(await store.countTokens({ organization: 'acme', search: 'token' }, 2)).toBe(2);
});

it('entries that have ended are swept up by later writes, and never pile up', () => {
  const entries = new MemoryEntries();
  for (let index = 0; index < 100; index++) {
    expect(entries.put(anEntry(`stays${index}`), 0, 0)).toBe(true);
  }
  let most = 0;
  for (let now = 0; now < 5_000; now++) {
    expect(entries.put(anEntry(`e${now}`, { expiresAt: now + 10 }), 0, now)).toBe(true);
    most = Math.max(most, entries.size);
  }
  // The 100 that stay, the 10 that have not ended, and what one round of the sweep (an eighth of all) may leave.
  expect(most).toBeLessThan(100 + 10 + 30);
  for (let index = 0; index < 100; index++) expect(entries.find('login', `stays${index}`, 5_000)).not.toBeNull();
});
