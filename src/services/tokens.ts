import { durationOf } from '../domain/duration.js';
import { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import { formatToken, hintOf, SECRET_BYTES } from '../domain/token-format.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { Authority } from './authority.js';
import { check } from './check.js';
import type { Core } from './core.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import { hash, hexToLatin1 } from './digest.js';
import { readGrants } from './grant-input.js';
import { newId } from './ids.js';
import {
  createTokenInput,
  expiryFrom,
  importTokenInput,
  listTokensInput,
  pruneInput,
  revokeOwnedInput,
  rotateTokenInput,
  updateTokenInput,
} from './inputs.js';
import type { ChangeType, SecretRotation, StoredSecret, StoredToken } from './ports.js';
import { expiryOf, isRevoked } from './token-reader.js';
import type { Tokens } from './tokens-api.js';

/** How often a change is tried again when another process was faster. */
const ATTEMPTS = 5;
const BATCH = 200;

export function createTokens(core: Core, authority: Authority): Tokens {
  const { store, reader, settings } = core;

  async function resolveGrants(types: unknown, organization: string): Promise<StoredGrants> {
    const grants = await readGrants(types, settings.catalog, (id) => store.findEndpoint(organization, id));
    await authority.assertHolds(grants);
    return grants;
  }

  /** The token, if this authority sees it. */
  async function find(id: unknown): Promise<StoredToken | null> {
    // Charset first: a store has no such id, and not every store can be asked about every text.
    if (!isTokenId(id)) return null;
    const token = await store.findToken(id);
    return token !== null && authority.sees(token.organization) ? token : null;
  }

  async function findToChange(id: unknown): Promise<StoredToken> {
    const token = await find(id);
    if (token !== null) return token;
    throw new PosternError('token_unknown', 'there is no token of this id: it may have been deleted; list the tokens', {
      path: 'id',
    });
  }

  function newSecret(now: number): { token: string; hashed: string; secret: StoredSecret } {
    const bytes = settings.random(SECRET_BYTES);
    if (!(bytes instanceof Uint8Array) || bytes.length !== SECRET_BYTES) {
      throw new PosternError('option_invalid', `random(${SECRET_BYTES}) must return ${SECRET_BYTES} bytes`, {
        path: 'random',
      });
    }
    const token = formatToken(settings.tokenPrefix, bytes);
    const hashed = hash(token);
    return { token, hashed, secret: { ...core.digester.write(hashed), createdAt: now, endsAt: null } };
  }

  function newToken(
    input: ReturnType<typeof createTokenInput.parse>,
    grants: StoredGrants,
    organization: string,
    hint: string,
    now: number,
  ): StoredToken {
    return {
      id: newId(settings.random),
      organization,
      owner: authority.owner(input.owner),
      ownership: input.ownership,
      name: input.name,
      description: input.description,
      types: JSON.stringify(grants),
      typeNames: Object.keys(grants),
      metadata: JSON.stringify(input.metadata),
      hint,
      createdAt: now,
      updatedAt: now,
      expiresAt: expiryFrom(input, now),
      revokedAt: null,
      lastUsedAt: null,
      version: 1,
    };
  }

  const change = (type: ChangeType, token: StoredToken, at: number) =>
    ({ type, at, actor: authority.actor, organization: token.organization, subject: token.id }) as const;

  function announce(type: ChangeType, token: StoredToken, at: number): void {
    const record = readable(token, at);
    core.events.emit({ ...change(type, token, at), at: new Date(at), ...(record && { record }) });
  }

  /** The record, or `null` with a fault event where it is damaged: one bad row must not hide, or keep, the others. */
  function readable(token: StoredToken, at: number): TokenRecord | null {
    try {
      return reader.record(token);
    } catch (error) {
      core.events.fault('record', error, at);
      return null;
    }
  }

  function forget(id: unknown): void {
    if (isTokenId(id)) core.tokenChanged(id);
  }

  /** What was read of the token is forgotten whatever the store answers: a failed answer may hide a change that was made. */
  function replace(...write: Parameters<typeof store.replaceToken>): Promise<boolean> {
    return store.replaceToken(...write).finally(() => core.tokenChanged(write[0].id));
  }

  /** Replaces a token by what `edit` makes of it, or leaves it where that is `null`. Tries again when someone was faster. */
  async function edit(
    id: unknown,
    type: ChangeType,
    make: (token: StoredToken, now: number) => Promise<StoredToken | null> | StoredToken | null,
  ): Promise<StoredToken> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const token = await findToChange(id);
      const now = core.time.read();
      const next = await make(token, now);
      if (next === null) return token;
      const written = { ...next, updatedAt: now, version: token.version + 1 };
      if (await replace(written, token.version, null, change(type, token, now))) {
        announce(type, written, now);
        return written;
      }
    }
    throw conflict();
  }

  async function remove(token: StoredToken, type: ChangeType): Promise<boolean> {
    const now = core.time.read();
    const removed = await store
      .deleteToken(token.id, change(type, token, now))
      .finally(() => core.tokenChanged(token.id));
    if (removed) core.events.emit({ ...change(type, token, now), at: new Date(now) });
    return removed;
  }

  const tokens: Tokens = {
    async create(input) {
      const given = check(createTokenInput, input, 'tokens.create', 'input_invalid');
      const now = core.time.read();
      const organization = authority.organization(given.organization);
      const { token, secret } = newSecret(now);
      const stored = newToken(given, await resolveGrants(given.types, organization), organization, hintOf(token), now);
      const written = await store.insertToken(stored, secret, change('token.created', stored, now));
      // 256 random bits don't meet twice: a collision is a broken `random`.
      if (!written) throw new PosternError('conflict', 'the new token exists already: is the random option random?');
      announce('token.created', stored, now);
      return { token, record: reader.record(stored) };
    },

    async import(input) {
      const given = check(importTokenInput, input, 'tokens.import', 'input_invalid');
      const { digest } = given;
      if (settings.importedTokens.length === 0) {
        throw new PosternError(
          'option_invalid',
          'announce the form of the imported tokens first: createPostern({ importedTokens })',
          {
            path: 'importedTokens',
          },
        );
      }
      const now = core.time.read();
      const organization = authority.organization(given.organization);
      const grants = await resolveGrants(given.types, organization);
      const stored = newToken(given, grants, organization, `sha256:${digest.slice(0, 8)}…`, now);
      const secret = { ...core.digester.write(hexToLatin1(digest)), createdAt: now, endsAt: null };
      if (!(await store.insertToken(stored, secret, change('token.imported', stored, now)))) {
        throw new PosternError('token_exists', 'a token of this digest is here already: it was imported before', {
          path: 'digest',
        });
      }
      core.cache.forgetUnknown();
      announce('token.imported', stored, now);
      return reader.record(stored);
    },

    async get(id) {
      const token = await find(id);
      return token === null ? null : reader.record(token);
    },

    async list(query = {}) {
      const given = check(listTokensInput, query, 'tokens.list', 'input_invalid');
      const everywhere = given.organization === '*' && authority.actor.kind === 'application';
      const after = given.cursor == null ? undefined : decodeCursor(given.cursor);
      const tokens = await store.listTokens({
        organization: everywhere ? null : authority.organization(given.organization),
        limit: given.limit + 1,
        ...(given.owner !== undefined && { owner: given.owner }),
        ...(given.type !== undefined && { type: given.type }),
        ...(given.search !== undefined && given.search !== '' && { search: given.search }),
        ...(after && { after }),
      });
      const page = tokens.slice(0, given.limit);
      const last = page.at(-1);
      return {
        items: page.map((token) => readable(token, core.time.read())).filter((record) => record !== null),
        nextCursor: tokens.length > given.limit && last ? encodeCursor(last) : null,
      };
    },

    async update(id, changes) {
      const given = check(updateTokenInput, changes, 'tokens.update', 'input_invalid');
      const updated = await edit(id, 'token.updated', async (token, now) => {
        const types = given.types === undefined ? null : await resolveGrants(given.types, token.organization);
        let { expiresAt } = token;
        if (given.expiresAt !== undefined) {
          assertUnexpired(token, core.time.latest);
          expiresAt = expiryFrom({ expiresIn: undefined, expiresAt: given.expiresAt }, now);
          // A longer life is a grant of all that the token holds.
          if (types === null) await authority.assertHolds(reader.grants(token).stored);
        }
        if (Object.values(given).every((value) => value === undefined)) return null;
        return {
          ...token,
          name: given.name ?? token.name,
          description: given.description ?? token.description,
          expiresAt,
          metadata: given.metadata === undefined ? token.metadata : JSON.stringify(given.metadata),
          ...(types !== null && { types: JSON.stringify(types), typeNames: Object.keys(types) }),
        };
      });
      return reader.record(updated);
    },

    async rotate(id, options = {}) {
      const { grace } = check(rotateTokenInput, options, 'tokens.rotate', 'input_invalid');
      const token = await findToChange(id);
      const now = core.time.read();
      if (isRevoked(token)) {
        throw new PosternError('token_revoked', 'a revoked token can not be rotated: create a new one', { path: 'id' });
      }
      assertUnexpired(token, core.time.latest);
      // Who learns the new secret can do all that the token may.
      await authority.assertHolds(reader.grants(token).stored);
      const made = newSecret(now);
      const rotation: SecretRotation = {
        secret: made.secret,
        othersEndAt: Math.min(now + durationOf(grace, 'grace'), expiryOf(token)),
      };
      const next = { ...token, hint: hintOf(made.token), updatedAt: now, version: token.version + 1 };
      if (!(await replace(next, token.version, rotation, change('token.rotated', token, now)))) throw conflict();
      announce('token.rotated', next, now);
      return { token: made.token, record: reader.record(next) };
    },

    async revoke(id) {
      await edit(id, 'token.revoked', (token, now) =>
        token.revokedAt === null ? { ...token, revokedAt: now } : null,
      ).catch((error: PosternError) => {
        // There is none, or it was deleted meanwhile: it does not work, which is what was asked for.
        if (error.code !== 'token_unknown') throw error;
      });
      // Another process may have been first, unseen by this one: from here on it works nowhere in this process.
      forget(id);
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
      const before = core.time.read() - durationOf(olderThan, 'olderThan');
      const organization = authority.actor.kind === 'application' ? null : authority.organization(undefined);
      let pruned = 0;
      let ids: readonly string[];
      do {
        ids = await store.listExpiredTokens(organization, before, BATCH);
        for (const id of ids) {
          const token = await store.findToken(id);
          if (token !== null && (await remove(token, 'token.pruned'))) pruned++;
        }
      } while (ids.length === BATCH);
      return pruned;
    },
  };
  return tokens;
}

function isTokenId(id: unknown): id is string {
  return typeof id === 'string' && /^[0-9A-Za-z_-]{1,64}$/.test(id);
}

function assertUnexpired(token: StoredToken, now: number): void {
  if (expiryOf(token) > now) return;
  throw new PosternError('token_expired', 'an expired token stays expired: create a new one', { path: 'id' });
}

function conflict(): PosternError {
  return new PosternError('conflict', 'the token was changed by someone else at the same time: read it, and try again');
}
