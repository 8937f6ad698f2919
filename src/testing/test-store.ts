import type { Store } from '../ports/store.js';
import { asRunner, findRunner, type TestRunner } from './runner.js';
import { boundCases } from './store-cases/bounds.js';
import type { StoreCase } from './store-cases/case.js';
import { changeCases } from './store-cases/changes.js';
import { countCases } from './store-cases/counts.js';
import { endingCases } from './store-cases/endings.js';
import { endpointCases } from './store-cases/endpoints.js';
import { entryCases } from './store-cases/entries.js';
import { halfwayCases } from './store-cases/halfway.js';
import { keyCases } from './store-cases/keys.js';
import { lifecycleCases } from './store-cases/lifecycle.js';
import { listCases } from './store-cases/lists.js';
import { pagingCases } from './store-cases/paging.js';
import { searchCases } from './store-cases/search.js';
import { secretCases } from './store-cases/secrets.js';
import { textCases } from './store-cases/texts.js';
import { tokenCases } from './store-cases/tokens.js';
import { totalCases } from './store-cases/totals.js';
import { trimmingCases } from './store-cases/trimming.js';
import { usageCases } from './store-cases/usage.js';

const GROUPS: readonly (readonly [string, readonly StoreCase[]])[] = [
  ['tokens', tokenCases],
  ['secrets', secretCases],
  ['keys', keyCases],
  ['endings', endingCases],
  ['lists', listCases],
  ['paging', pagingCases],
  ['totals', totalCases],
  ['search', searchCases],
  ['bounds', boundCases],
  ['uses', usageCases],
  ['counts', countCases],
  ['changes', changeCases],
  ['texts', textCases],
  ['endpoints', endpointCases],
  ['entries', entryCases],
  ['trimming', trimmingCases],
  ['half-way', halfwayCases],
  ['lifecycle', lifecycleCases],
];

/**
 * Registers the conformance suite of {@link Store}: what postern relies on, races included. A store that passes it can be
 * handed to `createPostern`. There is no option to leave a case out.
 *
 * It registers its tests with the runner that the calling file runs under (jest, vitest, mocha, bun, `node:test`), or with the
 * one given, and asserts with `node:assert`.
 *
 * @param makeStore called for each test: an empty store, which shares nothing with the one before; the test closes it
 * @example
 * testStore('my store', () => myStore({ url: 'db://localhost/test', schema: randomName() }));
 * @throws TypeError where no test runner is found, or what was given is none
 */
export function testStore(name: string, makeStore: () => Store | Promise<Store>, runner?: TestRunner): void {
  const chosen = runner === undefined ? findRunner() : asRunner(runner);
  if (chosen === null) throw new TypeError('the third argument of testStore is no test runner: give { describe, it }');
  const { describe, it } = chosen;
  describe(name, () => {
    for (const [group, cases] of GROUPS) {
      describe(group, () => {
        for (const [title, run] of cases) it(title, () => withStore(makeStore, run));
      });
    }
  });
}

async function withStore(makeStore: () => Store | Promise<Store>, run: StoreCase[1]): Promise<void> {
  const store = await makeStore();
  try {
    await run(store);
  } finally {
    await store.close();
  }
}
