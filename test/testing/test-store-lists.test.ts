import { it } from 'vitest';
import type { StoredToken } from '../../src/ports/records.js';
import { insertToken } from '../../src/testing/store-cases/case.js';
import { assertNoticed, type Break, insertingEach } from './failures.js';

/** Faults of a store, here in lists, searches and counts. */
const BREAKS: readonly (readonly [string, Break])[] = [
  [
    'a filter that does not know of revocations',
    (s) => ({ listTokens: ({ revoked: _, ...query }) => s.listTokens(query) }),
  ],
  [
    'a trim that takes what is as old as the limit',
    (s) => ({ trimChanges: (before, limit) => s.trimChanges(before + 1, limit) }),
  ],
  ['a trim of entries without a limit', (s) => ({ trimEntries: (now) => s.trimEntries(now, 1_000) })],
  ['pages from the oldest', (s) => ({ listTokens: async (query) => [...(await s.listTokens(query))].reverse() })],
  [
    'a position that counts in itself',
    (s) => ({
      listTokens: (query) =>
        s.listTokens(query.after ? { ...query, after: { ...query.after, id: `${query.after.id}\0` } } : query),
    }),
  ],
  ['a limit that is not kept', (s) => ({ listTokens: (query) => s.listTokens({ ...query, limit: query.limit + 1 }) })],
  [
    'a type that is searched for in a joined text',
    (s) => ({
      async listTokens({ type, ...query }) {
        const tokens = await s.listTokens(query);
        return type === undefined ? tokens : tokens.filter(({ typeNames }) => typeNames.join(',').includes(type));
      },
    }),
  ],
  [
    'a search by pattern',
    (s) => ({
      async listTokens({ search, ...query }) {
        const tokens = await s.listTokens(query);
        if (search === undefined) return tokens;
        const pattern = new RegExp(
          search
            .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
            .replace(/%/g, '.*')
            .replace(/_/g, '.'),
          'i',
        );
        return tokens.filter(({ name, description }) => pattern.test(name) || pattern.test(description));
      },
    }),
  ],
  [
    'a search that knows more than ASCII',
    (s) => ({
      async listTokens({ search, ...query }) {
        const tokens = await s.listTokens(query);
        if (search === undefined) return tokens;
        const wanted = search.toLowerCase();
        return tokens.filter(({ name, description }) =>
          [name, description].some((text) => text.toLowerCase().includes(wanted)),
        );
      },
    }),
  ],
  [
    'an organization without case',
    (s) => ({
      async listTokens({ organization, ...query }) {
        const tokens = await s.listTokens({ ...query, organization: null });
        return tokens.filter(
          (each) => organization === null || each.organization.toLowerCase() === organization.toLowerCase(),
        );
      },
    }),
  ],
  [
    'an expiry that has not come at its instant',
    (s) => ({
      listExpiredTokens: (organization, before, limit) => s.listExpiredTokens(organization, before - 1, limit),
    }),
  ],
  [
    'expired tokens of everyone',
    (s) => ({ listExpiredTokens: (_, before, limit) => s.listExpiredTokens(null, before, limit) }),
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
];

it.each(BREAKS)('the suite notices: %s', async (_, broken) => assertNoticed(broken));
