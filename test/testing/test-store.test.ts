import { memoryStore } from 'postern';
import { expect, it } from 'vitest';
import type { NewSecret, StoredSecret } from '../../src/ports/records.js';
import { deleteToken, insertToken } from '../../src/testing/store-cases/case.js';
import { assertNoticed, type Break, deletingEach, failures, insertingEach, pause } from './failures.js';

/** Faults of a store, here in tokens, secrets and keys. */
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
];

it('a store that keeps its promises fails nowhere', async () => {
  expect(await failures(memoryStore)).toEqual([]);
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

it.each(BREAKS)('the suite notices: %s', async (_, broken) => assertNoticed(broken));
