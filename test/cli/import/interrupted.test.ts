import { createHash } from 'node:crypto';
import { createTestPostern } from 'postern/testing';
import { expect, test } from 'vitest';
import { importRows } from '../../../src/cli/import/import-rows.js';
import { readJson } from '../../../src/cli/import/inputs.js';

async function* rows() {
  for (let number = 1; number <= 250; number++) {
    const digest = createHash('sha256').update(`old-${number}`).digest('hex');
    const row = { digest, name: `key ${number}`, types: { developer: { scopes: ['models:read'] } } };
    yield { line: number, text: JSON.stringify(row) };
  }
}

test('an import that broke off goes on when it is run again: rows of a batch without an answer are counted as there', async () => {
  const { postern, store } = createTestPostern({ importedTokens: [{ pattern: /^old-\d+$/ }] });
  const run = () =>
    importRows({
      rows: rows(),
      read: readJson,
      put: async (inputs) => {
        if (store.count('insertTokens') === 1) store.fail('insertTokens', 'written');
        return postern.tokens.import(inputs as readonly never[]);
      },
      left: () => {},
      progress: () => {},
    });
  await expect(run()).rejects.toThrow(/It stopped after line 100; 100 were imported. Run it again/);
  store.mend();
  expect(await run()).toEqual({ imported: 50, already: 200, expired: 0, bad: 0 });
  expect((await postern.tokens.count()).count).toBe(250);
});
