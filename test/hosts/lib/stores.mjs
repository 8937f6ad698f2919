import { readFile } from 'node:fs/promises';

const PAGE = new URL('../../../docs/stores/README.md', import.meta.url);

/**
 * Holds the table of stores to what a row has seen.
 *
 * @param drivers of each store: its database, its driver, and when others see a change
 * @param passed cases of `testStore` over all of them
 * @returns a sentence for the row
 */
export async function documentStores(drivers, passed) {
  const each = passed / drivers.length;
  const page = (await readFile(PAGE, 'utf8')).split('\n');
  for (const [database, driver, others] of drivers) {
    const line = `| ${database} | ${driver} | all | ${others} | – |`;
    if (!page.includes(line)) throw new Error(`docs/stores/README.md lacks the line: ${line}`);
  }
  return `${each} tests of testStore passed over each of: ${drivers.map(([, driver]) => driver).join(', ')}`;
}
