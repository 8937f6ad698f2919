import { memoryStore } from 'postern';
import type { NewToken, Store, TokenRemoval } from 'postern/store';
import { testStore } from 'postern/testing';
import { expect } from 'vitest';

/** Runs the suite over a store, and gives the titles of what failed. */
export async function failures(makeStore: () => Store): Promise<readonly string[]> {
  const tests: [string, () => Promise<void>][] = [];
  testStore('broken', makeStore, {
    describe: (_, body) => body(),
    it: (name, body) => tests.push([name, body]),
  });
  // The memory store is loaded with its first call, which takes longer than a wait here may.
  await memoryStore().findToken('none');
  const failed: string[] = [];
  for (const [name, body] of tests) {
    // A wait that never ends is a failure too: nothing is left to run by then.
    const outcome = await Promise.race([
      body().then(
        () => 'passed',
        () => 'failed',
      ),
      idle(),
    ]);
    if (outcome !== 'passed') failed.push(name);
  }
  return failed;
}

/** Once everything that was under way in memory has come to its end. */
async function idle(): Promise<string> {
  for (let turn = 0; turn < 300; turn++) await new Promise((resolve) => setImmediate(resolve));
  return 'stuck';
}

/** What a store does otherwise than it should. */
export type Break = (store: Store) => Partial<Store>;

/** A store that writes new tokens one after the other, with this function. */
export const insertingEach = (insert: (each: NewToken) => Promise<boolean>): Pick<Store, 'insertTokens'> => ({
  insertTokens: (tokens) => inSequence(tokens, insert),
});

/** The same for removals. */
export const deletingEach = (remove: (each: TokenRemoval) => Promise<boolean>): Pick<Store, 'deleteTokens'> => ({
  deleteTokens: (removals) => inSequence(removals, remove),
});

async function inSequence<Item>(items: readonly Item[], work: (item: Item) => Promise<boolean>) {
  const answers: boolean[] = [];
  for (const item of items) answers.push(await work(item));
  return answers;
}

/** Fails unless the suite notices that a store does this, in some of its tests. */
export async function assertNoticed(broken: Break): Promise<void> {
  const failed = await failures(() => {
    const store = memoryStore();
    return { ...store, ...broken(store) };
  });
  expect(failed).not.toEqual([]);
  expect(failed.length).toBeLessThan(40);
}

/** Lets other calls go first: what makes a check and a write two steps. */
export const pause = () => Promise.resolve().then(() => {});
