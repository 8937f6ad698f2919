import { it } from 'vitest';
import type { Change } from '../../src/ports/changes.js';
import type { StoredToken, UsageCount } from '../../src/ports/records.js';
import { aChange, deleteToken, insertToken } from '../../src/testing/store-cases/case.js';
import { assertNoticed, type Break, deletingEach, insertingEach } from './failures.js';

/** Faults of a store, here in texts, endpoints, changes, uses and its life. */
const BREAKS: readonly (readonly [string, Break])[] = [
  [
    'a last use that fails on a token that is gone',
    (s) => ({
      async recordUsage(usages) {
        for (const { tokenId } of usages) if ((await s.findToken(tokenId)) === null) throw new Error('no such token');
        await s.recordUsage(usages);
      },
    }),
  ],
  [
    'texts that are trimmed',
    (s) => ({
      ...insertingEach(({ token, secret, change }) =>
        insertToken(s, { ...token, name: token.name.trim() }, secret, change),
      ),
    }),
  ],
  [
    'texts that are normalized',
    (s) => ({
      ...insertingEach(({ token, secret, change }) =>
        insertToken(s, { ...token, name: token.name.normalize('NFC') }, secret, change),
      ),
    }),
  ],
  [
    'types that are parsed and written again',
    (s) => ({
      async findToken(id) {
        const token = await s.findToken(id);
        return token && { ...token, types: JSON.stringify(JSON.parse(token.types)) };
      },
    }),
  ],
  [
    'null read as zero',
    (s) => ({
      async findToken(id) {
        const token = await s.findToken(id);
        return token && ({ ...token, expiresAt: token.expiresAt ?? 0 } as StoredToken);
      },
    }),
  ],
  [
    'an endpoint replaced by name alone',
    (s) => ({
      async replaceEndpoint(endpoint, expected, change) {
        const current = await s.findEndpoint(endpoint.organization, endpoint.id);
        return current ? s.replaceEndpoint({ ...endpoint, uid: current.uid }, expected, change) : false;
      },
    }),
  ],
  [
    'endpoints by locale',
    (s) => ({
      listEndpoints: async (query) => [...(await s.listEndpoints(query))].sort((a, b) => a.id.localeCompare(b.id)),
    }),
  ],
  [
    'endpoints without case',
    (s) => ({
      findEndpoint: (organization, id) => s.findEndpoint(organization, id.toLowerCase()),
    }),
  ],
  [
    'a change that is not logged',
    (s) => ({
      async listChanges(query) {
        return (await s.listChanges(query)).filter(({ type }) => type !== 'token.rotated');
      },
    }),
  ],
  [
    'a change that is logged though it was refused',
    (s) => {
      const extra: Change[] = [];
      return {
        ...deletingEach(async ({ id, expectedVersion, change }) => {
          const done = await deleteToken(s, id, change, expectedVersion);
          if (!done) extra.push(change);
          return done;
        }),
        listChanges: async (query) => [...extra, ...(await s.listChanges(query))],
      };
    },
  ],
  ['changes from the oldest', (s) => ({ listChanges: async (query) => [...(await s.listChanges(query))].reverse() })],
  [
    'changes of one time in the order of their writing',
    (s) => {
      const order: string[] = [];
      return {
        ...insertingEach(({ token, secret, change }) => {
          order.unshift(change.id);
          return insertToken(s, token, secret, change);
        }),
        async listChanges({ limit, after, ...query }) {
          const all = await s.listChanges({ ...query, limit: 1_000 });
          const sorted = [...all].sort((a, b) => b.at - a.at || order.indexOf(a.id) - order.indexOf(b.id));
          const start = after === undefined ? 0 : sorted.findIndex(({ id }) => id === after.id) + 1;
          return sorted.slice(start, start + limit);
        },
      };
    },
  ],
  [
    'changes whose texts are parsed and written again',
    (s) => ({
      listChanges: async (query) =>
        (await s.listChanges(query)).map((change) => ({
          ...change,
          after: change.after && JSON.stringify(JSON.parse(change.after)),
        })),
    }),
  ],
  [
    'a change that is written after what it tells of',
    (s) => ({
      ...insertingEach(async ({ token, secret, change }) => {
        const done = await insertToken(s, token, secret, aChange('token.created', token.id));
        if (done) String(change.before);
        return done;
      }),
    }),
  ],
  [
    'counts that are set, not added',
    (s) => {
      const last = new Map<string, number>();
      return {
        async recordUsage(usages) {
          await s.recordUsage(usages);
          for (const { tokenId, counts } of usages) {
            for (const { endpoint, count } of counts) last.set(JSON.stringify([tokenId, endpoint]), count);
          }
        },
        listUsage: async (...asked) =>
          (await s.listUsage(...asked)).map((each) => ({
            ...each,
            count: last.get(JSON.stringify([each.tokenId, each.endpoint])) as number,
          })),
      };
    },
  ],
  [
    'counts that stay when their token is deleted',
    (s) => {
      const seen = new Map<string, readonly UsageCount[]>();
      return {
        ...deletingEach(async ({ id, expectedVersion, change }) => {
          seen.set(id, await s.listUsage([id]));
          return deleteToken(s, id, change, expectedVersion);
        }),
        async listUsage(ids) {
          const now = await s.listUsage(ids);
          return now.length > 0 ? now : ids.flatMap((id) => seen.get(id) ?? []);
        },
      };
    },
  ],
  [
    'a batch of uses in parts',
    (s) => ({
      async recordUsage(usages) {
        for (const usage of usages) await s.recordUsage([usage]);
      },
    }),
  ],
  [
    'limits that are dropped',
    (s) => insertingEach(({ token, secret, change }) => insertToken(s, { ...token, limits: null }, secret, change)),
  ],
  ['a confirmation that someone is missing', () => ({ confirm: async () => ({ acknowledged: 1, missing: 1 }) })],
  ['a confirmation of nobody', () => ({ confirm: async () => ({ acknowledged: 0, missing: 0 }) })],
  ['a listener that is never called', () => ({ subscribe: () => () => {} })],
  ['a store that goes on after close', () => ({ close: async () => {} })],
  [
    'a second close that fails',
    (s) => {
      let closed = false;
      return {
        async close() {
          if (closed) throw new Error('closed already');
          closed = true;
          await s.close();
        },
      };
    },
  ],
];

it.each(BREAKS)('the suite notices: %s', async (_, broken) => assertNoticed(broken));
