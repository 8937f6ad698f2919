import { memoryStore } from 'postern';
import type { Change, NewSecret, Store, StoredToken } from 'postern/store';
import { START } from './outcomes.js';

/** More tokens than one request reads. */
export const CROWD = 60_000;
/** The id of the oldest token, the only one named "needle". */
export const NEEDLE = 'n0';

/**
 * A memory store with very many tokens of one organization. `n0` is the oldest. Tokens are Ada's and Bob's in turn, and every hundredth is
 * revoked.
 */
export async function crowdedStore({ organization = 'default', count = CROWD } = {}): Promise<Store> {
  const store = memoryStore();
  for (let index = 0; index < count; index++) {
    const id = `n${index}`;
    const token: StoredToken = {
      id,
      organization,
      owner: index % 2 === 0 ? 'ada' : 'bob',
      ownership: 'personal',
      name: id === NEEDLE ? 'needle' : 'straw',
      description: '',
      types: '{"user":{"endpoints":"*"}}',
      typeNames: ['user'],
      metadata: '{}',
      hint: 'pst_',
      limits: null,
      createdAt: START - count + index,
      updatedAt: START,
      expiresAt: null,
      revokedAt: index % 100 === 99 ? START : null,
      lastUsedAt: null,
      version: 1,
    };
    const digest = index.toString(16).padStart(64, '0');
    const secret: NewSecret = { digest, pepper: null, createdAt: START, endsAt: null, key: null };
    const change: Change = {
      id: `change${index}`,
      type: id === NEEDLE ? 'token.imported' : 'token.created',
      at: token.createdAt,
      actor: { kind: 'application' },
      from: null,
      organization,
      subject: id,
      before: null,
      after: null,
    };
    await store.insertTokens([{ token, secret, change }]);
  }
  return store;
}
