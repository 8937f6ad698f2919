import assert from 'node:assert/strict';
import { endsIn, IDLE, SOON, stateAt, TOKEN_STATES } from '../../domain/token-state.js';
import type { StoredToken } from '../../ports/records.js';
import type { Store, TokenFilter } from '../../ports/store.js';
import { aToken, aUsage, insertAll, type StoreCase, T0 } from './case.js';

const NOW = T0 + 200 * 86_400_000;

async function found(store: Store, filter: Partial<TokenFilter>): Promise<readonly string[]> {
  const tokens = await store.listTokens({ organization: 'acme', limit: 1_000, ...filter });
  assert.equal(await store.countTokens({ organization: 'acme', ...filter }, 1_000), tokens.length);
  return tokens.map(({ id }) => id).sort();
}

/** Tokens around each boundary of each state: a millisecond before it, at it, and after it. */
function tokensAround(): readonly StoredToken[] {
  const around = (time: number) => [time - 1, time, time + 1];
  const fields: Partial<StoredToken>[] = [
    { revokedAt: T0 + 1 },
    { revokedAt: NOW + 1, expiresAt: T0 + 1, lastUsedAt: NOW },
    { lastUsedAt: NOW },
    { createdAt: NOW },
    ...around(NOW).map((expiresAt) => ({ expiresAt, lastUsedAt: NOW })),
    ...around(NOW + SOON).map((expiresAt) => ({ expiresAt, lastUsedAt: NOW })),
    ...around(NOW + SOON).map((expiresAt) => ({ expiresAt })),
    // In the first or the second half of a short life.
    ...around(NOW + 1_000).map((expiresAt) => ({ expiresAt, createdAt: NOW - 1_000 })),
    ...around(NOW - IDLE).map((lastUsedAt) => ({ lastUsedAt })),
    ...around(NOW - IDLE).map((createdAt) => ({ createdAt })),
  ];
  return fields.map((each, index) => aToken(`t${String(index).padStart(2, '0')}`, each));
}

/** Lists by the state of tokens, and by their end. */
export const stateCases: readonly StoreCase[] = [
  [
    'tokens are found, and counted, by their state at a time, as `stateAt` says',
    async (store) => {
      const tokens = tokensAround();
      await insertAll(store, tokens);
      for (const is of TOKEN_STATES) {
        const expected = tokens.filter((token) => stateAt(token, NOW) === is).map(({ id }) => id);
        assert.ok(expected.length > 0, is);
        assert.deepEqual(await found(store, { state: { is, at: NOW } }), expected, is);
      }
      await store.recordUsage([aUsage('t00', NOW), aUsage(tokens.at(-3)?.id as string, NOW)]);
      assert.ok((await found(store, { state: { is: 'active', at: NOW } })).includes(tokens.at(-3)?.id as string));
      assert.ok((await found(store, { state: { is: 'revoked', at: NOW } })).includes('t00'));
    },
  ],
  [
    'tokens are found, and counted, by their end: after one time, by another one, or never',
    async (store) => {
      const tokens = tokensAround();
      await insertAll(store, tokens);
      for (const ends of ['never', { after: NOW, by: NOW + SOON }, { after: NOW - 1, by: NOW }] as const) {
        const expected = tokens.filter((token) => endsIn(token, ends)).map(({ id }) => id);
        assert.ok(expected.length > 0);
        assert.deepEqual(await found(store, { ends }), expected);
      }
    },
  ],
  [
    'the state and the end hold together with other conditions and with positions',
    async (store) => {
      const revokedAt = T0 + 1;
      await insertAll(store, [
        aToken('a', { createdAt: T0 + 3, revokedAt }),
        aToken('b', { createdAt: T0 + 2, revokedAt, owner: 'bob' }),
        aToken('c', { createdAt: T0 + 1, revokedAt, expiresAt: NOW + 1 }),
        aToken('d', { revokedAt, organization: 'umbrella' }),
      ]);
      const state = { is: 'revoked', at: NOW } as const;
      assert.deepEqual(await found(store, { state, owner: 'ada' }), ['a', 'c']);
      assert.deepEqual(await found(store, { state, organization: null, ends: 'never' }), ['a', 'b', 'd']);
      assert.deepEqual(await found(store, { state, ends: 'never', after: { createdAt: T0 + 3, id: 'a' } }), ['b']);
      assert.deepEqual(await found(store, { state, search: 'TOKEN C' }), ['c']);
    },
  ],
];
