import { it } from 'vitest';
import type { StoredEntry } from '../../src/ports/records.js';
import { assertNoticed, type Break, pause } from './failures.js';

/** Faults of a store, here in entries. */
const BREAKS: readonly (readonly [string, Break])[] = [
  [
    'a put that checks, then writes',
    (s) => ({
      async putEntry(entry, expected, now) {
        const current = await s.findEntry(entry.kind, entry.id, now);
        if ((current?.version ?? 0) !== expected) return false;
        await pause();
        const latest = await s.findEntry(entry.kind, entry.id, now);
        await s.putEntry(entry, latest?.version ?? 0, now);
        return true;
      },
    }),
  ],
  [
    'a put that overwrites',
    (s) => ({
      async putEntry(entry, expected, now) {
        const current = await s.findEntry(entry.kind, entry.id, now);
        return s.putEntry(entry, expected === 0 ? (current?.version ?? 0) : expected, now);
      },
    }),
  ],
  [
    'a put that never gives up what has ended',
    (s) => {
      const ever = new Set<string>();
      return {
        async putEntry(entry, expected, now) {
          const key = `${entry.kind} ${entry.id}`;
          if (expected === 0 && ever.has(key)) return false;
          const done = await s.putEntry(entry, expected, now);
          if (done) ever.add(key);
          return done;
        },
      };
    },
  ],
  [
    'a put that revives what has ended',
    (s) => ({ putEntry: (entry, expected, now) => s.putEntry(entry, expected, expected === 0 ? now : 0) }),
  ],
  [
    'an end that has not come at its instant',
    (s) => ({ findEntry: (kind, id, now) => s.findEntry(kind, id, now - 1) }),
  ],
  ['an end that is ignored', (s) => ({ findEntry: (kind, id) => s.findEntry(kind, id, -1) })],
  [
    'an end that is kept from the first write',
    (s) => {
      const ends = new Map<string, number | null>();
      return {
        async putEntry(entry, expected, now) {
          const expiresAt = expected === 0 ? entry.expiresAt : (ends.get(entry.id) ?? null);
          const done = await s.putEntry({ ...entry, expiresAt }, expected, now);
          if (done) ends.set(entry.id, expiresAt);
          return done;
        },
      };
    },
  ],
  [
    'a deletion of an entry that always says yes',
    (s) => ({ deleteEntry: async (...rest) => (await s.deleteEntry(...rest)) || true }),
  ],
  [
    'a deletion of an entry that checks, then deletes',
    (s) => ({
      async deleteEntry(kind, id, expected, now) {
        const current = await s.findEntry(kind, id, now);
        if (current?.version !== expected) return false;
        await pause();
        await s.deleteEntry(kind, id, expected, now);
        return true;
      },
    }),
  ],
  [
    'a deletion of an entry at any version',
    (s) => ({
      async deleteEntry(kind, id, _, now) {
        const current = await s.findEntry(kind, id, now);
        return current !== null && s.deleteEntry(kind, id, current.version, now);
      },
    }),
  ],
  [
    'a deletion of an entry that has ended',
    (s) => ({ deleteEntry: (kind, id, expected) => s.deleteEntry(kind, id, expected, 0) }),
  ],
  [
    'entries of all kinds in one',
    (s) => ({
      putEntry: (entry, ...rest) => s.putEntry({ ...entry, kind: 'any' }, ...rest),
      findEntry: async (kind, ...rest) => {
        const found = await s.findEntry('any', ...rest);
        return found && { ...found, kind };
      },
      deleteEntry: (_, ...rest) => s.deleteEntry('any', ...rest),
    }),
  ],
  [
    'kind and id joined without a bound',
    (s) => {
      const join = (kind: string, id: string) => ['all', `${kind}_${id}`] as const;
      const named = (kind: string, id: string, found: StoredEntry | null) => found && { ...found, kind, id };
      return {
        putEntry: (entry, ...rest) => {
          const [kind, id] = join(entry.kind, entry.id);
          return s.putEntry({ ...entry, kind, id }, ...rest);
        },
        findEntry: async (kind, id, now) => named(kind, id, await s.findEntry(...join(kind, id), now)),
        deleteEntry: (kind, id, ...rest) => s.deleteEntry(...join(kind, id), ...rest),
      };
    },
  ],
  [
    'values that are cut',
    (s) => ({ putEntry: (entry, ...rest) => s.putEntry({ ...entry, value: entry.value.slice(0, 65_535) }, ...rest) }),
  ],
  [
    'values that are trimmed',
    (s) => ({ putEntry: (entry, ...rest) => s.putEntry({ ...entry, value: entry.value.trim() }, ...rest) }),
  ],
  [
    'an entry that is logged',
    (s) => {
      let puts = 0;
      return {
        putEntry: (...rest) => {
          puts++;
          return s.putEntry(...rest);
        },
        async listChanges(query) {
          const changes = await s.listChanges(query);
          const change = { id: 'x'.repeat(22), type: 'token.updated', at: 0, actor: { kind: 'application' } } as const;
          const rest = { from: null, organization: 'acme', subject: 'e1', before: null, after: null };
          return puts > 0 ? [...changes, { ...change, ...rest }] : changes;
        },
      };
    },
  ],
];

it.each(BREAKS)('the suite notices: %s', async (_, broken) => assertNoticed(broken));
