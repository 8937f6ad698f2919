import { check } from '../base/check.js';
import type { Credential } from '../base/credential.js';
import type { Forgetting } from '../base/forgetting.js';
import type { Ground } from '../base/ground.js';
import { PosternError } from '../domain/errors.js';
import type { StoredToken } from '../ports/records.js';
import type { Authority } from './authority.js';
import { batchesOf, MOST_OF_BATCH } from './batches.js';
import { invalidSecret } from './identifiers.js';
import { pruneInput, revokeOwnedInput, revokeTokenInput } from './inputs.js';
import { Leavers } from './leavers.js';
import { recordOf } from './records.js';
import { slices } from './slices.js';
import { rowsOf, sizeOfToken } from './token-lists.js';
import type { TokenRows } from './token-rows.js';
import type { Tokens } from './tokens-api.js';
import type { Alone } from './within.js';

const BATCH = 200;
/** How often an owner's tokens are gone through. While the barrier stands, two passes are enough. */
const MOST_PASSES = 10;
/** How often a run begins again because its barrier fell: others ended the same owner's tokens, or it took too long. */
const MOST_RUNS = 10;

/**
 * Revokes and deletes tokens. This compares no version, so it never conflicts, and no edit can undo it.
 */
export function createTokenEnding(
  ground: Ground,
  forgetting: Forgetting,
  authority: Authority,
  rows: TokenRows,
  readCredential: (text: unknown) => Credential,
): Pick<Alone<Tokens>, 'revoke' | 'revokeSecret' | 'delete' | 'revokeOwned' | 'pruneExpired'> {
  const { store, time, digester } = ground;

  /** Repeats passes over the owner's tokens until a pass finds none alive. @throws PosternError `conflict` if every pass finds some */
  async function revokeAllOf(organization: string, owner: string): Promise<number> {
    let revoked = 0;
    let newest: StoredToken | undefined;
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      newest = undefined;
      for await (const slice of slices(undefined, rowsOf(store, { organization, owner }), Number.POSITIVE_INFINITY)) {
        const filter = { organization, owner, ownership: 'personal', revoked: false, limit: BATCH, ...slice } as const;
        let last: StoredToken | undefined;
        let batch: readonly StoredToken[];
        do {
          batch = await store.listTokens({ ...filter, ...(last && { after: last }) });
          const ended = await Promise.all(batch.map((token) => rows.revoke(token)));
          revoked += ended.filter(Boolean).length;
          newest ??= batch[0];
          last = batch.at(-1);
        } while (batch.length === BATCH);
      }
      if (newest === undefined) return revoked;
    }
    throw new PosternError(
      'conflict',
      `tokens are made for this owner all the while, past this call: the last is ${newest?.id}, and the audit log says who made it. Stop that, and repeat it`,
    );
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

  return {
    async revoke(id, options = {}) {
      const { wait } = check(revokeTokenInput, options, 'tokens.revoke', 'input_invalid');
      authority.assertMayChange();
      const token = await rows.find(id, 'revoke');
      if (token !== null) await rows.revoke(token);
      rows.forget(id);
      return (wait ? await forgetting.confirm() : undefined) as never;
    },

    async revokeSecret(text) {
      authority.assertMayChange();
      const credential = readCredential(text);
      if (typeof credential === 'string' || credential.signed !== null) throw invalidSecret(credential);
      const found = await store.findTokenByDigest(digester.candidates(credential.secret));
      if (found === null || !authority.sees(found.token.organization)) return null;
      const { id } = found.token;
      const token = await store.findToken(id);
      if (token !== null) await rows.revoke(token);
      rows.forget(id);
      const revoked = await store.findToken(id);
      return revoked === null ? null : recordOf(ground, revoked);
    },

    async delete(id) {
      authority.assertMayChange();
      const token = await rows.find(id, 'delete');
      if (token !== null) await rows.remove([token], 'token.deleted');
      else rows.forget(id);
    },

    async revokeOwned(query) {
      const { owner, organization: named } = check(revokeOwnedInput, query, 'tokens.revokeOwned', 'input_invalid');
      authority.assertMayChange();
      const organization = authority.organization(named);
      const leavers = new Leavers(ground);
      let revoked = 0;
      for (let run = 0; run < MOST_RUNS; run++) {
        // The maker of a token for this owner checks the barrier before and after. So either a pass finds the token, or the maker
        // finds the barrier.
        const barrier = await leavers.begin(organization, owner);
        revoked += await revokeAllOf(organization, owner);
        await forgetAllOf(organization, owner);
        if (await leavers.end(organization, owner, barrier)) return revoked;
      }
      throw new PosternError('conflict', "several calls are ending this owner's tokens at once: try again");
    },

    async pruneExpired(query = {}) {
      const { olderThan } = check(pruneInput, query, 'tokens.pruneExpired', 'input_invalid');
      authority.assertMayChange();
      const before = time.read() - olderThan;
      const organization = authority.actor.kind === 'application' ? null : authority.organization(undefined);
      let pruned = 0;
      let expired: readonly StoredToken[];
      do {
        expired = await store.listExpiredTokens(organization, before, MOST_OF_BATCH);
        for (const batch of batchesOf(expired, sizeOfToken)) pruned += await rows.remove(batch, 'token.pruned', true);
      } while (expired.length === MOST_OF_BATCH);
      return pruned;
    },
  };
}
