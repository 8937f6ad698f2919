import assert from 'node:assert/strict';
import type { StoredEntry } from '../../ports/records.js';
import type { Store } from '../../ports/store.js';
import { anEntry, type StoreCase, T0, wins } from './case.js';

const PARALLEL = 20;

/** The last time that a Date has. */
const LAST = 8_640_000_000_000_000;

async function put(store: Store, entry: StoredEntry, expectedVersion = entry.version - 1, now = T0): Promise<void> {
  assert.equal(await store.putEntry(entry, expectedVersion, now), true, `putEntry(${entry.kind}, ${entry.id})`);
}

async function read(store: Store, { kind, id }: StoredEntry, now = T0): Promise<StoredEntry | null> {
  const found = await store.findEntry(kind, id, now);
  return found && { ...found };
}

/** Small texts with a name, a version and an end. */
export const entryCases: readonly StoreCase[] = [
  [
    'an entry is found exactly as it was written; one that was never written is not',
    async (store) => {
      const entry = anEntry('e1', { value: '{"a":1}', expiresAt: T0 + 5, version: 3 });
      assert.equal(await store.findEntry('login', 'e1', T0), null);
      await put(store, entry, 0);
      assert.deepEqual(await read(store, entry), entry);
      for (const id of ['e2', 'E1', 'e', 'e1_', '-', '__proto__', 'x'.repeat(128)]) {
        assert.equal(await store.findEntry('login', id, T0), null, id);
      }
    },
  ],
  [
    'kinds are apart, and no kind and id look like another two',
    async (store) => {
      const entries = [
        anEntry('a', { kind: 'login' }),
        anEntry('a', { kind: 'logi' }),
        anEntry('na', { kind: 'logi' }),
        anEntry('n_a', { kind: 'login' }),
        anEntry('a', { kind: 'login_n' }),
        anEntry('_a', { kind: 'login' }),
        anEntry('a', { kind: 'login_' }),
        anEntry('a', { kind: '__proto__' }),
        anEntry('constructor', { kind: 'constructor' }),
        anEntry('A-Z_a-z0-9'.repeat(12).padEnd(128, '-'), { kind: 'k'.repeat(40) }),
      ].map((entry, index) => ({ ...entry, value: `value ${index}` }));
      for (const entry of entries) await put(store, entry);
      for (const entry of entries) assert.deepEqual(await read(store, entry), entry);
      const [first, ...others] = entries as [StoredEntry, ...StoredEntry[]];
      assert.equal(await store.deleteEntry(first.kind, first.id, 1, T0), true);
      assert.equal(await read(store, first), null);
      for (const entry of others) assert.deepEqual(await read(store, entry), entry);
    },
  ],
  [
    'values are kept to the byte: empty, hostile, and 64 KiB of any characters',
    async (store) => {
      const values = [
        '',
        '0',
        'null',
        "'; DROP TABLE entries; --",
        'back\\slash \\0 \\u0000 %s',
        ' line\r\nend\u2028 \u202e\ufeff e\u0301 ',
        '{"__proto__":{"x": 1}}',
        'x'.repeat(65_536),
        '\u{1f600}'.repeat(16_384),
        '\u0001"'.repeat(32_768),
      ];
      for (const [index, value] of values.entries()) {
        const entry = anEntry(`e${index}`, { value });
        await put(store, entry);
        assert.deepEqual(await read(store, entry), entry, value.slice(0, 20));
        const again = { ...entry, version: 2, value: `${value.slice(0, 65_530)}again`.slice(-65_536) };
        await put(store, again);
        assert.deepEqual(await read(store, entry), again, value.slice(0, 20));
      }
    },
  ],
  [
    'an entry that is expected to be absent but is present is refused and stays as it is',
    async (store) => {
      const entry = anEntry('e1', { expiresAt: T0 + 5 });
      await put(store, entry);
      assert.equal(await store.putEntry({ ...entry, value: 'second' }, 0, T0), false);
      assert.equal(await store.putEntry({ ...entry, value: 'second', expiresAt: null }, 0, T0 + 4), false);
      assert.deepEqual(await read(store, entry), entry);
    },
  ],
  [
    'an entry is replaced whole from the version that it is at, and from no other',
    async (store) => {
      const entry = anEntry('e1', { expiresAt: T0 + 5, version: 4 });
      for (const expected of [1, 3, 4]) assert.equal(await store.putEntry(entry, expected, T0), false, 'none is there');
      assert.equal(await read(store, entry), null);
      await put(store, entry, 0);
      const changed = { ...entry, value: 'changed', expiresAt: null, version: 5 };
      for (const expected of [0, 3, 5]) assert.equal(await store.putEntry(changed, expected, T0), false);
      assert.deepEqual(await read(store, entry), entry);
      await put(store, changed);
      assert.deepEqual(await read(store, entry, LAST), changed);
      assert.equal(await store.putEntry(changed, 4, T0), false);
      await put(store, { ...entry, version: 2_000_000_000 }, 5);
      assert.equal((await read(store, entry))?.expiresAt, T0 + 5);
    },
  ],
  [
    'an entry is there until its end, and from that time on it is not',
    async (store) => {
      const entry = anEntry('e1', { expiresAt: T0 + 10 });
      await put(store, entry);
      assert.deepEqual(await read(store, entry, T0 + 9), entry);
      assert.equal(await read(store, entry, T0 + 10), null);
      assert.equal(await read(store, entry, T0 + 11), null);
      assert.equal(await store.putEntry({ ...entry, version: 2 }, 1, T0 + 10), false);
      assert.equal(await store.deleteEntry('login', 'e1', 1, T0 + 10), false);
    },
  ],
  [
    'without an end an entry stays; an end of 0, or one that is over when it is written, is an end',
    async (store) => {
      const forever = anEntry('forever');
      const late = anEntry('late', { expiresAt: LAST });
      await put(store, forever);
      await put(store, late);
      assert.deepEqual(await read(store, forever, LAST), forever);
      assert.deepEqual(await read(store, late, LAST - 1), late);
      assert.equal(await read(store, late, LAST), null);
      for (const [id, expiresAt] of [
        ['zero', 0],
        ['over', T0],
      ] as const) {
        const entry = anEntry(id, { expiresAt });
        await put(store, entry);
        assert.equal(await read(store, entry), null);
        await put(store, { ...entry, expiresAt: null });
        assert.equal((await read(store, entry))?.expiresAt, null);
      }
    },
  ],
  [
    'an end that is moved counts: later, earlier, to none',
    async (store) => {
      const entry = anEntry('e1', { expiresAt: T0 + 10 });
      await put(store, entry);
      await put(store, { ...entry, expiresAt: T0 + 20, version: 2 }, 1, T0 + 9);
      assert.equal((await read(store, entry, T0 + 19))?.version, 2);
      await put(store, { ...entry, expiresAt: T0 + 15, version: 3 }, 2, T0 + 10);
      assert.equal((await read(store, entry, T0 + 14))?.version, 3);
      assert.equal(await read(store, entry, T0 + 15), null);
      await put(store, { ...entry, expiresAt: null, version: 4 }, 3, T0 + 14);
      assert.equal((await read(store, entry, LAST))?.version, 4);
    },
  ],
  [
    'over an entry that has ended another one begins, as if there had been none',
    async (store) => {
      await put(store, anEntry('e1', { expiresAt: T0 + 10, version: 7 }), 0);
      const fresh = anEntry('e1', { value: 'fresh', expiresAt: T0 + 30 });
      assert.equal(await store.putEntry(fresh, 0, T0 + 9), false);
      await put(store, fresh, 0, T0 + 10);
      assert.deepEqual(await read(store, fresh, T0 + 29), fresh);
      assert.equal(await store.deleteEntry('login', 'e1', 7, T0 + 11), false);
      assert.equal(await store.putEntry({ ...fresh, version: 8 }, 7, T0 + 11), false);
    },
  ],
  [
    'an entry is deleted from the version that it is at, once',
    async (store) => {
      const entry = anEntry('e1', { version: 2, expiresAt: T0 + 10 });
      await put(store, entry, 0);
      for (const expected of [0, 1, 3]) assert.equal(await store.deleteEntry('login', 'e1', expected, T0), false);
      assert.equal(await store.deleteEntry('login', 'e2', 2, T0), false);
      assert.equal(await store.deleteEntry('logins', 'e1', 2, T0), false);
      assert.deepEqual(await read(store, entry), entry);
      assert.equal(await store.deleteEntry('login', 'e1', 2, T0 + 9), true);
      assert.equal(await store.deleteEntry('login', 'e1', 2, T0 + 9), false);
      assert.equal(await read(store, entry), null);
      await put(store, anEntry('e1'), 0);
    },
  ],
  [
    'of many that begin one entry at once exactly one gets true, and its value is read',
    async (store) => {
      for (const [id, now] of [
        ['fresh', T0],
        ['ended', T0 + 10],
      ] as const) {
        if (id === 'ended') await put(store, anEntry(id, { expiresAt: T0 + 10, value: 'old' }));
        const entries = Array.from({ length: PARALLEL }, (_, index) => anEntry(id, { value: `${id} ${index}` }));
        const answers = await Promise.all(entries.map((entry) => store.putEntry(entry, 0, now)));
        assert.equal(wins(answers), 1, id);
        assert.deepEqual(await read(store, anEntry(id), now), entries[answers.indexOf(true)]);
      }
    },
  ],
  [
    'of many that replace one version at once exactly one gets true, and its value is read',
    async (store) => {
      await put(store, anEntry('e1'));
      const entries = Array.from({ length: PARALLEL }, (_, index) => anEntry('e1', { value: `${index}`, version: 2 }));
      const answers = await Promise.all(entries.map((entry) => store.putEntry(entry, 1, T0)));
      assert.equal(wins(answers), 1);
      assert.deepEqual(await read(store, anEntry('e1')), entries[answers.indexOf(true)]);
    },
  ],
  [
    'of many that delete, or replace, one version at once exactly one gets true',
    async (store) => {
      const entry = anEntry('e1', { expiresAt: T0 + 10 });
      await put(store, entry);
      const deletions = await Promise.all(
        Array.from({ length: PARALLEL }, () => store.deleteEntry('login', 'e1', 1, T0)),
      );
      assert.equal(wins(deletions), 1);
      assert.equal(await read(store, entry), null);
      await put(store, entry);
      const mixed = await Promise.all(
        Array.from({ length: PARALLEL }, (_, index) =>
          index % 2 === 0
            ? store.putEntry({ ...entry, value: `${index}`, version: 2 }, 1, T0)
            : store.deleteEntry('login', 'e1', 1, T0),
        ),
      );
      assert.equal(wins(mixed), 1);
      const winner = mixed.indexOf(true);
      assert.equal((await read(store, entry))?.value, winner % 2 === 0 ? `${winner}` : undefined);
    },
  ],
  [
    'ended entries are cleared away, and the others are not touched',
    async (store) => {
      const entries = Array.from({ length: 60 }, (_, index) =>
        anEntry(`e${index}`, { expiresAt: index % 3 === 0 ? null : T0 + (index % 3) * 1_000_000_000 }),
      );
      for (const entry of entries) await put(store, entry);
      const now = T0 + 1_500_000_000;
      for (let index = 0; index < 30; index++) {
        await put(store, anEntry(`later${index}`, { expiresAt: now + 1 }), 0, now);
      }
      for (const entry of entries) {
        assert.deepEqual(await read(store, entry, now), (entry.expiresAt ?? LAST) > now ? entry : null, entry.id);
      }
    },
  ],
  [
    'entries are in no audit log, and are copies of the given objects',
    async (store) => {
      const entry = anEntry('e1');
      const given = { ...entry };
      await put(store, given);
      given.value = 'changed by the caller';
      assert.deepEqual(await read(store, entry), entry);
      await put(store, { ...entry, version: 2 });
      assert.equal(await store.deleteEntry('login', 'e1', 2, T0), true);
      assert.deepEqual(await store.listChanges({ organization: null, limit: 10 }), []);
    },
  ],
];
