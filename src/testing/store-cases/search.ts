import assert from 'node:assert/strict';
import type { Store } from '../../ports/store.js';
import { aToken, insertAll, type StoreCase } from './case.js';

async function search(store: Store, text: string): Promise<readonly string[]> {
  const tokens = await store.listTokens({ organization: null, limit: 100, search: text });
  return tokens.map(({ id }) => id).sort();
}

/** Searches. */
export const searchCases: readonly StoreCase[] = [
  [
    'a text is found anywhere in the name or the description, and nowhere else',
    async (store) => {
      await insertAll(store, [
        aToken('t1', { name: 'nightly build' }),
        aToken('t2', { name: 'x', description: 'the NIGHTLY one' }),
        aToken('t3', { name: 'nigh', description: 'tly' }),
        aToken('nightly', { name: 'x', owner: 'nightly', metadata: '{"nightly":1}', hint: 'nightly' }),
      ]);
      assert.deepEqual(await search(store, 'nightly'), ['t1', 't2']);
      assert.deepEqual(await search(store, 'Y B'), ['t1']);
      assert.deepEqual(await search(store, 'absent'), []);
    },
  ],
  [
    'ASCII letters are compared without case, others exactly',
    async (store) => {
      await insertAll(store, [
        aToken('t1', { name: 'ABC xyz' }),
        aToken('t2', { name: 'École' }),
        aToken('t3', { name: 'straße İstanbul' }),
        aToken('t4', { name: 'ΣΊΣΥΦΟΣ \u{1f600} K' }),
      ]);
      assert.deepEqual(await search(store, 'abc XYZ'), ['t1']);
      assert.deepEqual(await search(store, 'ÉCOLE'), ['t2']);
      assert.deepEqual(await search(store, 'école'), []);
      assert.deepEqual(await search(store, 'STRASSE'), []);
      assert.deepEqual(await search(store, 'STRAßE'), ['t3']);
      assert.deepEqual(await search(store, 'istanbul'), []);
      assert.deepEqual(await search(store, 'σίσυφος'), []);
      assert.deepEqual(await search(store, '\u{1f600} k'), ['t4']);
      assert.deepEqual(await search(store, '\u{1f601}'), []);
      assert.deepEqual(await search(store, '\u212a'), [], 'the Kelvin sign is no k');
    },
  ],
  [
    'no character is a wildcard, and none ends the query',
    async (store) => {
      const names = [
        '100%',
        '1000',
        'a_b',
        'axb',
        'back\\slash',
        "it's",
        'say "hi"',
        'a*b?c',
        '[x]',
        '--',
        '; DROP',
        '$1',
        '?',
      ];
      await insertAll(
        store,
        names.map((name, index) => aToken(`t${String(index).padStart(2, '0')}`, { name })),
      );
      const expected = (text: string) =>
        names.flatMap((name, index) =>
          name.toLowerCase().includes(text.toLowerCase()) ? [`t${String(index).padStart(2, '0')}`] : [],
        );
      for (const text of [
        '%',
        '_',
        '\\',
        "'",
        '"',
        '*',
        '?',
        '[',
        '--',
        ';',
        '100%',
        'a_b',
        '\\\\',
        '%%',
        '$1',
        '\\%',
        "' OR 1=1 --",
      ]) {
        assert.deepEqual(await search(store, text), expected(text), text);
      }
    },
  ],
];
