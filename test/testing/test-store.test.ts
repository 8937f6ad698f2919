import { memoryStore } from 'postern';
import type { StoredSecret, StoredToken } from 'postern/store';
import { expect, it } from 'vitest';
import type { Change } from '../../src/ports/changes.js';
import type { UsageCount } from '../../src/ports/records.js';
import { aChange, deleteToken, insertToken } from '../../src/testing/store-cases/case.js';
import { type Break, deletingEach, failures, insertingEach, pause } from './failures.js';

const BREAKS: readonly (readonly [string, Break])[] = [
  [
    'an insert that overwrites',
    (s) => ({
      ...insertingEach(async ({ token, secret, change }) => {
        await deleteToken(s, token.id, change);
        return insertToken(s, token, secret, change);
      }),
    }),
  ],
  [
    'an insert that checks, then writes',
    (s) => ({
      ...insertingEach(async ({ token, secret, change }) => {
        const taken = (await s.findToken(token.id)) ?? (await s.findTokenByDigest([secret.digest]));
        if (taken) return false;
        await insertToken(s, token, secret, change);
        return true;
      }),
    }),
  ],
  [
    'a batch that is refused as a whole if one is taken',
    (s) => ({
      async insertTokens(tokens) {
        const found = await s.findTokenByDigest(tokens.map(({ secret }) => secret.digest));
        return found && tokens.length > 1 ? tokens.map(() => false) : s.insertTokens(tokens);
      },
    }),
  ],
  ['a batch in parts', (s) => insertingEach((each) => insertToken(s, each.token, each.secret, each.change))],
  [
    'a batch of removals that ends with the first one that is not there',
    (s) => ({
      async deleteTokens(removals) {
        const answers = await s.deleteTokens(removals.slice(0, 1));
        if (!answers[0]) return removals.map(() => false);
        return [...answers, ...(await s.deleteTokens(removals.slice(1)))];
      },
    }),
  ],
  [
    'only the first of several entries is found',
    (s) => ({ findEntries: async (...asked) => (await s.findEntries(...asked)).slice(0, 1) }),
  ],
  [
    'only the first candidate is looked up',
    (s) => ({ findTokenByDigest: (digests) => s.findTokenByDigest(digests.slice(0, 1)) }),
  ],
  [
    'the last candidate counts',
    (s) => ({ findTokenByDigest: (digests) => s.findTokenByDigest([...digests].reverse()) }),
  ],
  [
    'the secret that is given is another one',
    (s) => ({
      async findTokenByDigest(digests) {
        const found = await s.findTokenByDigest(digests);
        return found && { ...found, secret: { ...found.secret, endsAt: null } as StoredSecret };
      },
    }),
  ],
  [
    'a replacement that checks, then writes',
    (s) => ({
      async replaceToken(token, expected, rotation, change) {
        const current = await s.findToken(token.id);
        if (current?.version !== expected) return false;
        await pause();
        const now = await s.findToken(token.id);
        if (now) await s.replaceToken(token, now.version, rotation, change);
        return true;
      },
    }),
  ],
  [
    'a replacement that writes the last use',
    (s) => ({
      async replaceToken(token, expected, rotation, change) {
        const done = await s.replaceToken(token, expected, rotation, change);
        if (done && token.lastUsedAt !== null)
          await s.recordUsage([{ tokenId: token.id, lastUsedAt: token.lastUsedAt, counts: [] }]);
        return done;
      },
    }),
  ],
  [
    'a rotation that takes later ends',
    (s) => ({
      replaceToken: (token, expected, rotation, change) =>
        s.replaceToken(token, expected, rotation && { ...rotation, othersEndAt: Number.MAX_SAFE_INTEGER }, change),
    }),
  ],
  [
    'a rotation that is forgotten',
    (s) => ({
      replaceToken: (token, expected, _, change) => s.replaceToken(token, expected, null, change),
    }),
  ],
  [
    'a deletion that always says yes',
    (s) => ({
      ...deletingEach(
        async ({ id, expectedVersion, change }) => (await deleteToken(s, id, change, expectedVersion)) || true,
      ),
    }),
  ],
  [
    'a revocation that is an edit',
    (s) => ({
      async revokeToken(id, at, change) {
        const token = await s.findToken(id);
        if (token === null || token.revokedAt !== null) return false;
        await pause();
        return s.replaceToken(
          { ...token, revokedAt: at, updatedAt: at, version: token.version + 1 },
          token.version,
          null,
          change,
        );
      },
    }),
  ],
  [
    'a revocation that leaves the version',
    (s) => ({
      async replaceToken(token, expected, rotation, change) {
        const current = await s.findToken(token.id);
        const isRevoked = current?.revokedAt != null && current.version === expected + 1;
        return s.replaceToken(token, isRevoked ? expected + 1 : expected, rotation, change);
      },
    }),
  ],
  [
    'a revocation that is made twice',
    (s) => ({
      async revokeToken(id, at, change) {
        const token = await s.findToken(id);
        return (await s.revokeToken(id, at, change)) || token !== null;
      },
    }),
  ],
  [
    'ended secrets that pile up',
    (s) => ({
      replaceToken: (token, expected, rotation, change) =>
        s.replaceToken(token, expected, rotation && { ...rotation, at: 0 }, change),
    }),
  ],
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

it('a store that keeps its promises fails nowhere', async () => {
  expect(await failures(memoryStore)).toEqual([]);
});

it.each(BREAKS)('the suite notices %s', async (_, broken) => {
  const failed = await failures(() => {
    const store = memoryStore();
    return { ...store, ...broken(store) };
  });
  expect(failed).not.toEqual([]);
  expect(failed.length).toBeLessThan(40);
});

it('a store without a feed passes too', async () => {
  const { subscribe: _, ...store } = memoryStore();
  expect(typeof store.findToken).toBe('function');
  const failed = await failures(() => {
    const { subscribe: __, ...without } = memoryStore();
    return without;
  });
  expect(failed).toEqual([]);
});
