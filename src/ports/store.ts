import type { Ownership } from '../domain/principal.js';
import type { Change, ChangeQuery } from './changes.js';
import type {
  NewSecret,
  SecretRotation,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  Usage,
  UsageCount,
} from './records.js';

/** Where a page begins: after this row, in the order newest first, then by id from the highest. */
export interface TokenPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** Which tokens. All conditions hold at once. */
export interface TokenFilter {
  /** `null`: every organization. */
  readonly organization: string | null;
  readonly owner?: string | undefined;
  readonly ownership?: Ownership | undefined;
  readonly type?: string | undefined;
  /** Whether they were revoked. */
  readonly revoked?: boolean | undefined;
  /** Tokens whose name or description holds this text, ASCII letters compared without case. No character is a wildcard. */
  readonly search?: string | undefined;
  /** Only those after this one in the order of a page. */
  readonly after?: TokenPosition | undefined;
  /** Only those up to this one, itself included. With `after` it bounds what is looked at, however few of them fit. */
  readonly until?: TokenPosition | undefined;
}

/** Which tokens, and which page of them, newest first. */
export interface TokenQuery extends TokenFilter {
  /** So many of the page's first tokens are passed over. Costs as much as reading them: `after` is the cheap way on. */
  readonly offset?: number | undefined;
  readonly limit: number;
}

/** Which page of an organization's endpoints, by id. */
export interface EndpointQuery {
  readonly organization: string;
  /** Ids greater than this one, by code unit; the order of the page is the same. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** What a store tells of a change that may have been made by another process. */
export type Invalidation =
  | { readonly kind: 'token'; readonly id: string }
  | { readonly kind: 'endpoints'; readonly organization: string }
  /** Something may have been missed: forget everything. */
  | { readonly kind: 'everything' }
  /** Changes of other processes are no longer told, and from when on they are again (what was missed is forgotten). */
  | { readonly kind: 'lost'; readonly error: unknown }
  | { readonly kind: 'restored' };

/** How many processes have said that they were told, and how many live ones have not. */
export interface Confirmation {
  readonly acknowledged: number;
  readonly missing: number;
}

/**
 * Where tokens and endpoints are kept. Each method is one atomic step: it happens whole or not at all, and what it
 * returns is already durable. A method that can't do its work rejects (the caller answers `unavailable`); `false` and
 * `null` are answers, never failures. Two callers that race for one row are told apart by `version`: exactly one
 * `replace…` with a given `expectedVersion` returns `true`.
 */
export interface Store {
  /** The token that has one of these digests, with the secret that matched. One read. */
  findTokenByDigest(digests: readonly string[]): Promise<{ token: StoredToken; secret: StoredSecret } | null>;
  /** The same by the id of a secret's key ({@link SecretKey}). One read. */
  findTokenByKeyId(
    keyIds: readonly string[],
  ): Promise<{ token: StoredToken; secret: StoredSecret; publicKey: string } | null>;
  findToken(id: string): Promise<StoredToken | null>;
  /**
   * The tokens of an organization, of one owner or one ownership in it, and those of all organizations are read in their
   * order without reading others. Any other condition may cost a look at each token from `after` to `until`.
   */
  listTokens(query: TokenQuery): Promise<readonly StoredToken[]>;
  /** How many tokens there are: exact below `atMost`; it may stop counting there, and says `atMost` then. */
  countTokens(filter: TokenFilter, atMost: number): Promise<number>;
  /** `false`, and nothing written, where the id, the digest or the key's id is taken. */
  insertToken(token: StoredToken, secret: NewSecret, change: Change): Promise<boolean>;
  /**
   * Writes all of `token` but `lastUsedAt`, which belongs to {@link recordUsage}. `false`, and nothing written, where the token
   * is gone or is no longer at `expectedVersion`, or where the new secret's digest or its key's id is taken.
   *
   * With a rotation its other secrets that had ended by `at` are removed, with their keys. Of those that live, the one without
   * an end and the latest created stay, at most 10 with the new one, and their `endsAt` become `othersEndAt`
   * unless they are earlier.
   */
  replaceToken(
    token: StoredToken,
    expectedVersion: number,
    rotation: SecretRotation | null,
    change: Change,
  ): Promise<boolean>;
  /**
   * Sets `revokedAt` and `updatedAt` to `at` and adds 1 to `version`, whatever that is: it never loses to an edit, and an edit
   * that expects the version before is refused. `false`, and nothing written, where there is none, or it was revoked before.
   */
  revokeToken(id: string, at: number, change: Change): Promise<boolean>;
  /** Removes the token and its secrets, whatever its version is. `false` where there was none. */
  deleteToken(id: string, change: Change): Promise<boolean>;
  /**
   * Ids of up to `limit` tokens, of one organization or (`null`) of all, with `expiresAt` at or before `before`, in any order.
   */
  listExpiredTokens(organization: string | null, before: number, limit: number): Promise<readonly string[]>;
  /**
   * Moves `lastUsedAt` of each token (and of its counts) forward, never back, and adds to its counts. A token that is gone is
   * passed over. A batch that rejected may have been written, in part or whole, and is written again whole: its counts are too
   * high then. Nothing is decided by them.
   */
  recordUsage(usages: readonly Usage[]): Promise<void>;
  /**
   * The counts of up to 1,000 tokens, for one endpoint or (left out) for all, in one read. Those of one token by endpoint, in
   * code unit order. They go with the token.
   */
  listUsage(tokenIds: readonly string[], endpoint?: string): Promise<readonly UsageCount[]>;

  /** Changes, newest first. They are written by the methods that take a {@link Change}, in the same transaction, and never altered. */
  listChanges(query: ChangeQuery): Promise<readonly Change[]>;
  /** Removes up to `limit` changes with `at` before `before`, the oldest first. Returns how many; fewer than `limit`: no more are left. */
  trimChanges(before: number, limit: number): Promise<number>;

  findEndpoint(organization: string, id: string): Promise<StoredEndpoint | null>;
  /** Those that have one of up to 1,000 ids, in any order. One read. */
  findEndpoints(organization: string, ids: readonly string[]): Promise<readonly StoredEndpoint[]>;
  listEndpoints(query: EndpointQuery): Promise<readonly StoredEndpoint[]>;
  /** `false`, and nothing written, where the organization has an endpoint of this id. */
  insertEndpoint(endpoint: StoredEndpoint, change: Change): Promise<boolean>;
  /** `false`, and nothing written, where there is no endpoint of this organization, id and `uid` at `expectedVersion`. */
  replaceEndpoint(endpoint: StoredEndpoint, expectedVersion: number, change: Change): Promise<boolean>;
  /** `false` where there was none. */
  deleteEndpoint(organization: string, id: string, change: Change): Promise<boolean>;

  /** The entry, unless it has ended by `now`. */
  findEntry(kind: string, id: string, now: number): Promise<StoredEntry | null>;
  /**
   * Writes an entry whole. `false`, and nothing written, where the entry of this kind and id is not at `expectedVersion`; 0:
   * where there is one that has not ended by `now`. Of several at once that expect the same version exactly one gets `true`.
   */
  putEntry(entry: StoredEntry, expectedVersion: number, now: number): Promise<boolean>;
  /** `false` where there is none at `expectedVersion` that has not ended by `now`. Of several at once exactly one gets `true`. */
  deleteEntry(kind: string, id: string, expectedVersion: number, now: number): Promise<boolean>;
  /**
   * Removes up to `limit` entries that have ended by `now`, and returns how many. It may leave those for a later call that ended
   * in the last minutes, and is 0 in a store that loses ended entries by itself.
   */
  trimEntries(now: number, limit: number): Promise<number>;

  /**
   * Calls `listener` after each change, whoever made it, from the first other call on (nothing can have been read before); of a
   * new token it need not tell.
   * What a listener throws is ignored. Left out by a store that can't: then `cache.ttl` alone bounds what others see.
   */
  subscribe?(listener: (invalidation: Invalidation) => void): () => void;
  /**
   * Resolves once every live subscriber (of this process and of others) has been told of each change made before this call,
   * or after `timeout` milliseconds. Left out by a store whose subscribers can't answer.
   */
  confirm?(timeout: number): Promise<Confirmation>;
  /** Gives back what the store holds. Idempotent. Every other call made after it rejects. */
  close(): Promise<void>;
}
