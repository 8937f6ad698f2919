import { check } from '../base/check.js';
import type { Credential } from '../base/credential.js';
import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import type { StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import { invalidSecret } from './identifiers.js';
import { pruneInput, revokeOwnedInput, revokeTokenInput } from './inputs.js';
import { Leavers } from './leavers.js';
import { recordOf } from './records.js';
import { slices } from './slices.js';
import { rowsOf } from './token-lists.js';
import type { TokenRows } from './token-rows.js';
import type { Tokens } from './tokens-api.js';

const BATCH = 200;

/**
 * Revokes and deletes tokens. This compares no version, so it never conflicts, and no edit can undo it.
 */
export function createTokenEnding(
  ground: Ground,
  forgetting: Forgetting,
  authority: Authority,
  rows: TokenRows,
  readCredential: (text: unknown) => Credential,
): Pick<Tokens, 'revoke' | 'revokeSecret' | 'delete' | 'revokeOwned' | 'pruneExpired'> {
  const { store, time, digester } = ground;

  /** Repeats passes over the owner's tokens until a pass finds none alive. */
  async function revokeAllOf(organization: string, owner: string): Promise<number> {
    let revoked = 0;
    let alive: number;
    do {
      alive = 0;
      for await (const slice of slices(undefined, rowsOf(store, { organization, owner }), Number.POSITIVE_INFINITY)) {
        const filter = { organization, owner, ownership: 'personal', revoked: false, ...slice } as const;
        let batch: readonly StoredToken[];
        do {
          batch = await store.listTokens({ ...filter, limit: BATCH });
          const ended = await Promise.all(batch.map((token) => rows.revoke(token)));
          revoked += ended.filter(Boolean).length;
          alive += batch.length;
        } while (batch.length === BATCH);
      }
    } while (alive > 0);
    return revoked;
  }

  /** Another process may have revoked some, and this one may have missed that. After this they are refused here too. */
  async function forgetAllOf(organization: string, owner: string): Promise<void> {
    let after: StoredToken | undefined;
    let page: readonly StoredToken[];
    do {
      page = await store.listTokens({ organization, owner, limit: BATCH, ...(after && { after }) });
      for (const { id, ownership } of page) if (ownership === 'personal') forgetting.token(id);
      after = page.at(-1);
    } while (page.length === BATCH);
  }

  async function prune(id: string): Promise<boolean> {
    const token = await store.findToken(id);
    return token !== null && rows.remove(token, 'token.pruned');
  }

  return {
    async revoke(id, options = {}) {
      const { wait } = check(revokeTokenInput, options, 'tokens.revoke', 'input_invalid');
      authority.assertMayChange();
      const token = await rows.find(id, 'revoke');
      if (token !== null) await rows.revoke(token);
      // Another process may have revoked it first, and this one may have missed that. After this it is refused here too.
      rows.forget(id, token);
      return (wait ? await forgetting.confirm() : undefined) as never;
    },

    async revokeSecret(text) {
      authority.assertMayChange();
      const credential = readCredential(text);
      if (typeof credential === 'string' || credential.signed !== null) throw invalidSecret(credential);
      const found = await store.findTokenByDigest(digester.candidates(credential.secret));
      if (found === null || !authority.sees(found.token.organization)) return null;
      const { id } = found.token;
      await rows.revoke(found.token);
      const token = await store.findToken(id);
      return token === null ? null : recordOf(ground, token);
    },

    async delete(id) {
      authority.assertMayChange();
      const token = await rows.find(id, 'delete');
      if (token !== null) await rows.remove(token, 'token.deleted');
      else rows.forget(id, null);
    },

    async revokeOwned(query) {
      const { owner, organization: named } = check(revokeOwnedInput, query, 'tokens.revokeOwned', 'input_invalid');
      authority.assertMayChange();
      const organization = authority.organization(named);
      const leavers = new Leavers(ground);
      // The maker of a token for this owner checks this entry before and after. So either the last pass finds the token, or the
      // maker finds the entry.
      await leavers.begin(organization, owner);
      const revoked = await revokeAllOf(organization, owner);
      await leavers.end(organization, owner);
      const last = await revokeAllOf(organization, owner);
      await forgetAllOf(organization, owner);
      return revoked + last;
    },

    async pruneExpired(query = {}) {
      const { olderThan } = check(pruneInput, query, 'tokens.pruneExpired', 'input_invalid');
      authority.assertMayChange();
      const before = time.read() - olderThan;
      const organization = authority.actor.kind === 'application' ? null : authority.organization(undefined);
      let pruned = 0;
      let ids: readonly string[];
      do {
        ids = await store.listExpiredTokens(organization, before, BATCH);
        const removed = await Promise.all(ids.map(prune));
        pruned += removed.filter(Boolean).length;
      } while (ids.length === BATCH);
      return pruned;
    },
  };
}
