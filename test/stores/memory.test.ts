import { memoryStore } from 'postern';
import { testStore } from 'postern/testing';
import { expect, it } from 'vitest';
import { MemoryChanges } from '../../src/stores/memory/changes.js';
import { MemoryEntries } from '../../src/stores/memory/entries.js';
import { aChange, anEntry, aToken, insert } from '../../src/testing/store-cases/case.js';

testStore('memoryStore', memoryStore);

it('a count with conditions stops at its bound', async () => {
  const store = memoryStore();
  for (const id of ['t1', 't2', 't3']) await insert(store, aToken(id));
  expect(await store.countTokens({ organization: 'acme', search: 'token' }, 2)).toBe(2);
});

it('the audit log drops its oldest changes, and keeps the latest 100,000', () => {
  const log = new MemoryChanges();
  for (let at = 0; at < 250_000; at++) log.add(aChange('token.updated', 't1', 'acme', { at }));
  const kept = log.list({ organization: null, limit: 1_000_000 });
  expect(kept.length).toBeGreaterThanOrEqual(100_000);
  expect(kept.length).toBeLessThanOrEqual(110_000);
  expect(kept[0]?.at).toBe(249_999);
  expect(kept.at(-1)?.at).toBe(250_000 - kept.length);
});

it('later writes remove ended entries, so that they never pile up', () => {
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
