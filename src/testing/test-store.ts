import type { Store } from '../ports/store.js';
import { asRunner, findRunner, type TestRunner } from './runner.js';
import { batchCases } from './store-cases/batches.js';
import { boundCases } from './store-cases/bounds.js';
import type { StoreCase } from './store-cases/case.js';
import { changeCases } from './store-cases/changes.js';
import { countCases } from './store-cases/counts.js';
import { dayCases } from './store-cases/days.js';
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
import { stateCases } from './store-cases/states.js';
import { textCases } from './store-cases/texts.js';
import { tokenCases } from './store-cases/tokens.js';
import { totalCases } from './store-cases/totals.js';
import { trimmingCases } from './store-cases/trimming.js';
import { usageCases } from './store-cases/usage.js';

const GROUPS: readonly (readonly [string, readonly StoreCase[]])[] = [
  ['tokens', tokenCases],
  ['batches', batchCases],
  ['secrets', secretCases],
  ['keys', keyCases],
  ['endings', endingCases],
  ['lists', listCases],
  ['states', stateCases],
  ['paging', pagingCases],
  ['totals', totalCases],
  ['search', searchCases],
  ['bounds', boundCases],
  ['uses', usageCases],
  ['counts', countCases],
  ['days', dayCases],
  ['changes', changeCases],
  ['texts', textCases],
  ['endpoints', endpointCases],
  ['entries', entryCases],
  ['trimming', trimmingCases],
  ['half-way', halfwayCases],
  ['lifecycle', lifecycleCases],
];

/**
 * Registers the conformance suite of {@link Store}: everything that postern relies on, races included. A store that passes it
 * works with `createPostern`. No case can be left out.
 *
 * The tests run under the given runner, or under that of the calling file (jest, vitest, mocha, bun, `node:test`). They assert
 * with `node:assert`.
 *
 * @param makeStore makes an empty store for each test, which shares nothing with earlier ones. The test closes it
 * @example
 * testStore('my store', () => myStore({ url: 'db://localhost/test', schema: randomName() }));
 * @throws TypeError if no test runner is found, or the given one is none
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
