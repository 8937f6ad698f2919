import { memoryStore } from 'postern';
import { expect, it } from 'vitest';
import type { NewSecret, StoredEntry, StoredToken } from '../../src/ports/records.js';
import { insertToken } from '../../src/testing/store-cases/case.js';
import { type Break, failures, insertingEach, pause } from './failures.js';

/** What the suite must notice of keys, ownership, numbered pages, totals and entries. */
const BREAKS: readonly (readonly [string, Break])[] = [
  [
    'only the first id of a key is looked up',
    (s) => ({ findTokenByKeyId: (ids) => s.findTokenByKeyId(ids.slice(0, 1)) }),
  ],
  ['the last id of a key counts', (s) => ({ findTokenByKeyId: (ids) => s.findTokenByKeyId([...ids].reverse()) })],
  [
    'keys are not unique',
    (s) => {
      const taken = new Set<string>();
      const unkeyed = (secret: NewSecret) => {
        const isTaken = secret.key !== null && taken.has(secret.key.id);
        if (secret.key !== null) taken.add(secret.key.id);
        return isTaken ? { ...secret, key: null } : secret;
      };
      return {
        ...insertingEach(({ token, secret, change }) => insertToken(s, token, unkeyed(secret), change)),
      };
    },
  ],
  [
    'a key that is taken is refused at a creation only',
    (s) => ({
      async replaceToken(token, version, rotation, change) {
        const key = rotation?.secret.key;
        const isTaken = key != null && (await s.findTokenByKeyId([key.id])) !== null;
        const without = rotation && isTaken ? { ...rotation, secret: { ...rotation.secret, key: null } } : rotation;
        return s.replaceToken(token, version, without, change);
      },
    }),
  ],
  [
    'keys are written at a creation only',
    (s) => ({
      replaceToken: (token, version, rotation, change) =>
        s.replaceToken(token, version, rotation && { ...rotation, secret: { ...rotation.secret, key: null } }, change),
    }),
  ],
  [
    'a key whose secret has ended leads nowhere',
    (s) => ({
      async findTokenByKeyId(ids) {
        const found = await s.findTokenByKeyId(ids);
        return found === null || found.secret.endsAt !== null ? null : found;
      },
    }),
  ],
  [
    'keys outlive their token',
    (s) => {
      const used = new Map<string, string>();
      return {
        ...insertingEach(async ({ token, secret, change }) => {
          const { key } = secret;
          if (key !== null && used.has(key.id)) return false;
          const done = await insertToken(s, token, secret, change);
          if (done && key !== null) used.set(key.id, token.id);
          return done;
        }),
      };
    },
  ],
  [
    'a lookup by digest forgets the limits',
    (s) => ({
      async findTokenByDigest(digests) {
        const found = await s.findTokenByDigest(digests);
        return found && { ...found, token: { ...found.token, limits: null } };
      },
    }),
  ],
  ['a state is ignored', (s) => ({ listTokens: ({ state: _, ...query }) => s.listTokens(query) })],
  ['an end is ignored', (s) => ({ listTokens: ({ ends: _, ...query }) => s.listTokens(query) })],
  [
    'a state that knows no idle tokens',
    (s) => ({
      listTokens: ({ state, ...query }) =>
        s.listTokens(state?.is === 'idle' ? { ...query, state: { ...state, is: 'active' } } : { ...query, state }),
    }),
  ],
  ['an actor is ignored', (s) => ({ listChanges: ({ actor: _, ...query }) => s.listChanges(query) })],
  ['only the latest secret is listed', (s) => ({ listSecrets: async (id) => (await s.listSecrets(id)).slice(-1) })],
  ['an ownership is ignored', (s) => ({ listTokens: ({ ownership: _, ...query }) => s.listTokens(query) })],
  ['an offset is ignored', (s) => ({ listTokens: ({ offset: _, ...query }) => s.listTokens(query) })],
  [
    'an offset shortens the page',
    (s) => ({
      listTokens: async ({ offset = 0, ...query }) => (await s.listTokens(query)).slice(offset),
    }),
  ],
  [
    'an offset takes the place of the position',
    (s) => ({
      listTokens: ({ after, ...query }) =>
        s.listTokens(query.offset || after === undefined ? query : { ...query, after }),
    }),
  ],
  ['the end of a part is ignored', (s) => ({ listTokens: ({ until: _, ...query }) => s.listTokens(query) })],
  [
    'the end of a part is ignored in counts',
    (s) => ({ countTokens: ({ until: _, ...filter }, most) => s.countTokens(filter, most) }),
  ],
  [
    'the last token of a part is left out',
    (s) => ({
      listTokens: async (query) => (await s.listTokens(query)).filter(({ id }) => id !== query.until?.id),
    }),
  ],
  [
    'the end of a part of the log is ignored',
    (s) => ({ listChanges: ({ until: _, ...query }) => s.listChanges(query) }),
  ],
  ['an offset in the log is ignored', (s) => ({ listChanges: ({ offset: _, ...query }) => s.listChanges(query) })],
  ['counts of the first token only', (s) => ({ listUsage: ([id = ''], endpoint) => s.listUsage([id], endpoint) })],
  ['counts of every endpoint where one was asked for', (s) => ({ listUsage: (ids) => s.listUsage(ids) })],
  [
    'endpoints that are found by another case of their ids',
    (s) => ({
      findEndpoints: async (organization, ids) => {
        const all = await s.listEndpoints({ organization, limit: 1_000 });
        const wanted = new Set(ids.map((id) => id.toLowerCase()));
        return all.filter(({ id }) => wanted.has(id.toLowerCase()));
      },
    }),
  ],
  [
    'endpoints that come once for each time that they are asked for',
    (s) => ({
      findEndpoints: async (organization, ids) =>
        (await Promise.all(ids.map((id) => s.findEndpoint(organization, id)))).filter((found) => found !== null),
    }),
  ],
  [
    'a count of everyone',
    (s) => ({ countTokens: (filter, most) => s.countTokens({ ...filter, organization: null }, most) }),
  ],
  [
    'a count without the ownership',
    (s) => ({ countTokens: ({ ownership: _, ...filter }, most) => s.countTokens(filter, most) }),
  ],
  [
    'a count that never goes down',
    (s) => {
      let highest = 0;
      return {
        async countTokens(filter, most) {
          const count = await s.countTokens(filter, most);
          if (filter.organization !== null) return count;
          highest = Math.max(highest, count);
          return highest;
        },
      };
    },
  ],
  [
    'a counter that a change of organization forgets',
    (s) => {
      const first = new Map<string, StoredToken>();
      return {
        ...insertingEach(async ({ token, secret, change }) => {
          const done = await insertToken(s, token, secret, change);
          if (done) first.set(token.id, token);
          return done;
        }),
        async countTokens(filter, most) {
          if (filter.organization === null || Object.keys(filter).length > 1) return s.countTokens(filter, most);
          const all = await s.listTokens({ organization: null, limit: 1_000 });
          return all.filter(({ id }) => first.get(id)?.organization === filter.organization).length;
        },
      };
    },
  ],
  [
    'a filter that a count does not know',
    (s) => ({ countTokens: ({ search: _, ...filter }, most) => s.countTokens(filter, most) }),
  ],
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

it.each(BREAKS)('the suite notices: %s', async (_, broken) => {
  const failed = await failures(() => {
    const store = memoryStore();
    return { ...store, ...broken(store) };
  });
  expect(failed).not.toEqual([]);
  expect(failed.length).toBeLessThan(20);
});
