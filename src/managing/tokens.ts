import { check } from '../base/check.js';
import { decodeCursor, encodeCursor } from '../base/cursor.js';
import { hexToLatin1 } from '../base/digest.js';
import type { Forgetting } from '../base/forgetting.js';
import { readGrants } from '../base/grant-input.js';
import type { Ground } from '../base/ground.js';
import { expiryOf, isRevoked } from '../base/token-reader.js';
import { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import { hintOf } from '../domain/token-format.js';
import type { SecretRotation, StoredToken } from '../ports/records.js';
import type { TokenFilter } from '../ports/store.js';
import type { Authority } from './authority.js';
import { createChangeLog } from './changes.js';
import {
  countTokensInput,
  createTokenInput,
  expiryFrom,
  importTokenInput,
  listTokensInput,
  pruneInput,
  revokeOwnedInput,
  revokeTokenInput,
  rotateTokenInput,
  updateTokenInput,
} from './inputs.js';
import { newSecret, newToken, readLimits } from './new-token.js';
import { marksOf, recordOf, recordsOf } from './records.js';
import { countTokens, findTokens } from './token-lists.js';
import { conflict, createTokenRows } from './token-rows.js';
import type { Tokens } from './tokens-api.js';

const BATCH = 200;

export function createTokens(ground: Ground, forgetting: Forgetting, authority: Authority): Tokens {
  const { store, reader, settings } = ground;
  const changes = createChangeLog(ground, authority);
  const { find, findToChange, edit, replace, remove, forget } = createTokenRows(ground, forgetting, authority, changes);

  async function resolveGrants(types: unknown, organization: string): Promise<StoredGrants> {
    const grants = await readGrants(types, settings.catalog, (id) => store.findEndpoint(organization, id));
    await authority.assertHolds(grants);
    return grants;
  }

  /** `'*'` is every organization, in the application's own hands; in another's it is a name like any other. */
  function organizationOf(named: string | undefined): string | null {
    return named === '*' && authority.actor.kind === 'application' ? null : authority.organization(named);
  }

  async function prune(id: string): Promise<boolean> {
    const token = await store.findToken(id);
    return token !== null && remove(token, 'token.pruned');
  }

  const tokens: Tokens = {
    async create(input) {
      const given = check(createTokenInput, input, 'tokens.create', 'input_invalid');
      await authority.assertMayIssue();
      const now = ground.time.read();
      const organization = authority.organization(given.organization);
      const grants = await resolveGrants(given.types, organization);
      const { token, secret } = await newSecret(ground, now);
      const stored = newToken(ground, authority, given, { organization, grants }, hintOf(token), now);
      const { change, announce } = changes.token('token.created', null, stored, now);
      // 256 random bits don't meet twice: a collision is a broken `random`.
      if (!(await store.insertToken(stored, secret, change))) {
        throw new PosternError('conflict', 'the new token exists already: is the random option random?');
      }
      announce();
      return { token, record: reader.record(stored) };
    },

    async import(input) {
      const given = check(importTokenInput, input, 'tokens.import', 'input_invalid');
      await authority.assertMayIssue();
      const { digest } = given;
      if (settings.importedTokens.length === 0) {
        throw new PosternError('option_invalid', 'announce the form of the imported tokens first', {
          path: 'importedTokens',
          input: 'createPostern',
        });
      }
      const now = ground.time.read();
      const organization = authority.organization(given.organization);
      const grants = await resolveGrants(given.types, organization);
      const hint = `sha256:${digest.slice(0, 8)}…`;
      const stored = newToken(ground, authority, given, { organization, grants }, hint, now);
      const secret = { ...ground.digester.write(hexToLatin1(digest)), createdAt: now, endsAt: null, key: null };
      const { change, announce } = changes.token('token.imported', null, stored, now);
      if (!(await store.insertToken(stored, secret, change))) {
        throw new PosternError('token_exists', 'a token has it already: it was imported before', {
          path: 'digest',
        });
      }
      forgetting.absences();
      announce();
      return reader.record(stored);
    },

    async get(id) {
      const token = await find(id);
      return token === null ? null : recordOf(ground, token);
    },

    async list(query = {}) {
      const given = check(listTokensInput, query, 'tokens.list', 'input_invalid');
      const after = given.cursor == null ? undefined : decodeCursor(given.cursor);
      const filter = { organization: organizationOf(given.organization), ...filterFrom(given) };
      const { rows, next } = await findTokens(store, filter, { after, offset: given.offset, limit: given.limit });
      return {
        items: await recordsOf(ground, changes, rows),
        nextCursor: next && encodeCursor(next),
      };
    },

    async count(query = {}) {
      const given = check(countTokensInput, query, 'tokens.count', 'input_invalid');
      return countTokens(store, { organization: organizationOf(given.organization), ...filterFrom(given) });
    },

    async update(id, input) {
      const given = check(updateTokenInput, input, 'tokens.update', 'input_invalid');
      // What grants, or prolongs, would outlive a credential that ends soon, and get around the limits of one that has any.
      const limited = given.rateLimit !== undefined || given.quota !== undefined;
      const moved = given.expiresIn !== undefined || given.expiresAt !== undefined;
      if (given.types !== undefined || moved || limited) await authority.assertMayIssue(id);
      const updated = await edit(id, 'token.updated', async (token, now) => {
        const types = given.types === undefined ? null : await resolveGrants(given.types, token.organization);
        let { expiresAt } = token;
        if (moved) {
          assertUnexpired(token, ground.time.latest);
          expiresAt = expiryFrom(given, now);
          // A longer life is a grant of all that the token holds.
          if (types === null) await authority.assertHolds(reader.grants(token).stored);
        }
        if (Object.values(given).every((value) => value === undefined)) return null;
        if (limited) await authority.assertUnlimited();
        return {
          ...token,
          name: given.name ?? token.name,
          description: given.description ?? token.description,
          expiresAt,
          metadata: given.metadata === undefined ? token.metadata : JSON.stringify(given.metadata),
          ...(limited && { limits: readLimits(ground, given, reader.limits(token)) }),
          ...(types !== null && { types: JSON.stringify(types), typeNames: Object.keys(types) }),
        };
      });
      return recordOf(ground, updated);
    },

    async rotate(id, options = {}) {
      const { grace } = check(rotateTokenInput, options, 'tokens.rotate', 'input_invalid');
      await authority.assertMayIssue(id);
      const token = await findToChange(id);
      const now = ground.time.read();
      if (isRevoked(token)) {
        throw new PosternError('token_revoked', 'a revoked token can not be rotated: create a new one', { path: 'id' });
      }
      assertUnexpired(token, ground.time.latest);
      // Who learns the new secret can do all that the token may, and does it in its owner's name.
      await authority.assertHolds(reader.grants(token).stored);
      authority.assertMaySpeakFor(token);
      // Before the rotation: what fails after it would lose the new secret.
      const [marks] = await marksOf(ground, [token]);
      const made = await newSecret(ground, now);
      const rotation: SecretRotation = {
        secret: made.secret,
        othersEndAt: Math.min(now + grace, expiryOf(token)),
      };
      const next = { ...token, hint: hintOf(made.token), updatedAt: now, version: token.version + 1 };
      const { change, announce } = changes.token('token.rotated', token, next, now);
      if (!(await replace(next, token.version, rotation, change))) throw conflict();
      announce();
      return { token: made.token, record: { ...reader.record(next), ...marks } };
    },

    async revoke(id, options = {}) {
      const { wait } = check(revokeTokenInput, options, 'tokens.revoke', 'input_invalid');
      await edit(id, 'token.revoked', (token, now) =>
        token.revokedAt === null ? { ...token, revokedAt: now } : null,
      ).catch((error: PosternError) => {
        // There is none, or it was deleted meanwhile: it does not work, which is what was asked for.
        if (error.code !== 'token_unknown') throw error;
      });
      // Another process may have been first, unseen by this one: from here on it works nowhere in this process.
      forget(id);
      return (wait ? await forgetting.confirm() : undefined) as never;
    },

    async usage(id) {
      const token = await find(id);
      if (token === null) return [];
      return (await store.listUsage([token.id])).map(({ endpoint, count, lastUsedAt }) => ({
        endpoint: endpoint === '' ? null : endpoint,
        count,
        lastUsedAt: new Date(lastUsedAt),
      }));
    },

    async delete(id) {
      const token = await find(id);
      if (token !== null) await remove(token, 'token.deleted');
      else forget(id);
    },

    async revokeOwned(query) {
      const given = check(revokeOwnedInput, query, 'tokens.revokeOwned', 'input_invalid');
      const organization = authority.organization(given.organization);
      let revoked = 0;
      let after: StoredToken | undefined;
      let page: readonly StoredToken[];
      do {
        page = await store.listTokens({ organization, owner: given.owner, limit: BATCH, ...(after && { after }) });
        after = page.at(-1);
        for (const { id, ownership, revokedAt } of page) {
          if (ownership !== 'personal') continue;
          await tokens.revoke(id);
          if (revokedAt === null) revoked++;
        }
      } while (page.length === BATCH);
      return revoked;
    },

    async pruneExpired(query = {}) {
      const { olderThan } = check(pruneInput, query, 'tokens.pruneExpired', 'input_invalid');
      const before = ground.time.read() - olderThan;
      const organization = authority.actor.kind === 'application' ? null : authority.organization(undefined);
      let pruned = 0;
      let ids: readonly string[];
      do {
        ids = await store.listExpiredTokens(organization, before, BATCH);
        const removed = await Promise.all(ids.map((id) => prune(id)));
        pruned += removed.filter(Boolean).length;
      } while (ids.length === BATCH);
      return pruned;
    },
  };
  return tokens;
}

function filterFrom(given: ReturnType<typeof countTokensInput.parse>): Omit<TokenFilter, 'organization'> {
  return {
    ...(given.owner !== undefined && { owner: given.owner }),
    ...(given.ownership !== undefined && { ownership: given.ownership }),
    ...(given.type !== undefined && { type: given.type }),
    ...(given.search !== undefined && given.search !== '' && { search: given.search }),
  };
}

function assertUnexpired(token: StoredToken, now: number): void {
  if (expiryOf(token) > now) return;
  throw new PosternError('token_expired', 'an expired token stays expired: create a new one', { path: 'id' });
}
