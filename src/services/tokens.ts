import { bytesToNumber, encodeBase62 } from '../domain/base62.js';
import type { Duration } from '../domain/duration.js';
import { durationOf } from '../domain/duration.js';
import { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import { formatToken, hintOf, SECRET_BYTES } from '../domain/token-format.js';
import type { Metadata, TokenRecord } from '../domain/token-record.js';
import type { GrantsOf, TokenTypes } from '../domain/token-types.js';
import type { Authority } from './authority.js';
import { check } from './check.js';
import type { Core } from './core.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import { hash, hexToLatin1 } from './digest.js';
import { readGrants } from './grant-input.js';
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

export interface CreateToken<T extends TokenTypes = TokenTypes> {
  /** 1 to 200 characters. */
  readonly name: string;
  readonly description?: string | undefined;
  /** At least one type, with what it grants. */
  readonly types: GrantsOf<T>;
  readonly organization?: string | undefined;
  readonly owner?: string | null | undefined;
  /** Default `'personal'`. */
  readonly ownership?: Ownership | undefined;
  /** From now; or `expiresAt`; neither: never. */
  readonly expiresIn?: Duration | undefined;
  readonly expiresAt?: Date | null | undefined;
  /** A JSON object of at most 16 KiB. */
  readonly metadata?: Metadata | undefined;
}

export interface ImportToken<T extends TokenTypes = TokenTypes> extends CreateToken<T> {
  /** SHA-256 of the secret, in hexadecimal. For secrets of at least 128 random bits only: a digest of less can be guessed. */
  readonly digest: string;
}

export interface UpdateToken<T extends TokenTypes = TokenTypes> {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly types?: GrantsOf<T> | undefined;
  /** `null`: never. */
  readonly expiresAt?: Date | null | undefined;
  readonly metadata?: Metadata | undefined;
}

export interface ListTokens {
  /** `'*'`: all. Default: the instance's own. */
  readonly organization?: string | undefined;
  readonly owner?: string | undefined;
  readonly type?: string | undefined;
  /** A text that the name or the description holds; ASCII letters are compared without case. */
  readonly search?: string | undefined;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | null | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** `null` on the last page. */
  readonly nextCursor: string | null;
}

export interface IssuedToken<T extends TokenTypes = TokenTypes> {
  /** The secret. It is shown here and never again. */
  readonly token: string;
  readonly record: TokenRecord<T>;
}

export interface Tokens<T extends TokenTypes = TokenTypes> {
  /**
   * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`,
   *   `endpoint_unknown`, `expiry_past`, `unavailable`; nothing is written
   */
  create(input: CreateToken<T>): Promise<IssuedToken<T>>;
  /**
   * Takes over a token that was issued elsewhere, by its digest. Its form must be announced in `importedTokens`.
   *
   * @throws PosternError as `create`, and `token_exists`
   */
  import(input: ImportToken<T>): Promise<TokenRecord<T>>;
  get(id: string): Promise<TokenRecord<T> | null>;
  /** Newest first. @throws PosternError `input_invalid`, `option_unknown`, `unavailable` */
  list(query?: ListTokens): Promise<Page<TokenRecord<T>>>;
  /**
   * What is left out stays. An expired token stays expired: its expiry can't be moved.
   *
   * @throws PosternError as `create`, and `token_unknown`, `token_expired`, `conflict`
   */
  update(id: string, changes: UpdateToken<T>): Promise<TokenRecord<T>>;
  /**
   * A new secret for the same record. The old one works until the grace ends (default: at once it does not), and never
   * beyond the expiry that the token had. Of two rotations at once exactly one wins, the other rejects with `conflict`.
   *
   * @throws PosternError `token_unknown`, `token_revoked`, `token_expired`, `conflict`, `input_invalid`, `unavailable`
   */
  rotate(id: string, options?: { readonly grace?: Duration }): Promise<IssuedToken<T>>;
  /** The token stays listed and no longer works. Idempotent. @throws PosternError `conflict`, `unavailable` */
  revoke(id: string): Promise<void>;
  /** The token is gone. Idempotent. @throws PosternError `unavailable` */
  delete(id: string): Promise<void>;
  /** Revokes every personal token of an owner: a leaver's. Returns how many. @throws PosternError `unavailable` */
  revokeOwned(query: { readonly owner: string; readonly organization?: string }): Promise<number>;
  /** Deletes tokens that expired longer ago than this. Returns how many. @throws PosternError `unavailable` */
  pruneExpired(query?: { readonly olderThan?: Duration }): Promise<number>;
}

const ID_BYTES = 16;
const ID_WIDTH = 22;
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
    if (typeof id !== 'string') return null;
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
      id: encodeBase62(bytesToNumber(settings.random(ID_BYTES)), ID_WIDTH),
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
      if (await store.replaceToken(written, token.version, null, change(type, token, now))) {
        core.tokenChanged(token.id);
        announce(type, written, now);
        return written;
      }
    }
    throw conflict();
  }

  async function remove(token: StoredToken, type: ChangeType): Promise<boolean> {
    const now = core.time.read();
    const removed = await store.deleteToken(token.id, change(type, token, now));
    core.tokenChanged(token.id);
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
      const { digest, ...given } = check(importTokenInput, input, 'tokens.import', 'input_invalid');
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
          expiresAt = expiryFrom({ expiresAt: given.expiresAt }, now);
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
      if (!(await store.replaceToken(next, token.version, rotation, change('token.rotated', token, now))))
        throw conflict();
      core.tokenChanged(token.id);
      announce('token.rotated', next, now);
      return { token: made.token, record: reader.record(next) };
    },

    async revoke(id) {
      const found = await find(id);
      if (found === null) return;
      await edit(id, 'token.revoked', (token, now) =>
        token.revokedAt === null ? { ...token, revokedAt: now } : null,
      ).catch((error: PosternError) => {
        // Deleted by someone else meanwhile: it no longer works, which is what was asked for.
        if (error.code !== 'token_unknown') throw error;
      });
    },

    async delete(id) {
      const token = await find(id);
      if (token !== null) await remove(token, 'token.deleted');
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
          if (ownership !== 'personal' || revokedAt !== null) continue;
          await tokens.revoke(id);
          revoked++;
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

function assertUnexpired(token: StoredToken, now: number): void {
  if (expiryOf(token) > now) return;
  throw new PosternError('token_expired', 'an expired token stays expired: create a new one', { path: 'id' });
}

function conflict(): PosternError {
  return new PosternError('conflict', 'the token was changed by someone else at the same time: read it, and try again');
}
