import type { Ownership } from '../domain/principal.js';
import type { Ending, TokenState } from '../domain/token-state.js';
import type { Change, ChangeQuery } from './changes.js';
import type {
  DailyCount,
  FoundToken,
  NewToken,
  SecretRotation,
  StoredEndpoint,
  StoredEntry,
  StoredSecret,
  StoredToken,
  TokenRemoval,
  Usage,
  UsageCount,
} from './records.js';

/** The row after which a page begins. The order is newest first, then by id, highest first. */
export interface TokenPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** The tokens that meet all conditions. */
export interface TokenFilter {
  /** `null`: every organization. */
  readonly organization: string | null;
  readonly owner?: string | undefined;
  readonly ownership?: Ownership | undefined;
  readonly type?: string | undefined;
  /** `true`: only revoked tokens; `false`: only others. */
  readonly revoked?: boolean | undefined;
  /** Only tokens in this state at this time: see `stateAt` of `postern/store`. */
  readonly state?: { readonly is: TokenState; readonly at: number } | undefined;
  /** Only tokens that end then: see `endsIn` of `postern/store`. */
  readonly ends?: Ending | undefined;
  /** Tokens whose name or description contains this text. ASCII letters are compared without case. No character is a wildcard. */
  readonly search?: string | undefined;
  /** Only tokens after this one, in the order of a page. */
  readonly after?: TokenPosition | undefined;
  /** Only tokens up to and including this one. Together with `after` it limits how many rows are read, even if few match. */
  readonly until?: TokenPosition | undefined;
}

/** A page of the tokens that meet all conditions, newest first. */
export interface TokenQuery extends TokenFilter {
  /** How many of the first matching tokens to skip. Skipping costs as much as reading; `after` is the cheap way. */
  readonly offset?: number | undefined;
  readonly limit: number;
}

/** A page of an organization's endpoints, by id. */
export interface EndpointQuery {
  readonly organization: string;
  /** Only ids greater than this one. Both this comparison and the order of the page are by code unit. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A page of the daily counts of one token or one organization. */
export interface DailyUsageQuery {
  readonly of: { readonly token: string } | { readonly organization: string };
  /** The first and the last day. */
  readonly from: number;
  readonly to: number;
  /** Only counts after this one. */
  readonly after?: DailyCount | undefined;
  readonly limit: number;
}

/** The caches to forget after a change. */
export type Stale =
  | { readonly kind: 'token'; readonly id: string }
  | { readonly kind: 'endpoints'; readonly organization: string }
  /** Changes may have been missed: forget everything. */
  | { readonly kind: 'everything' };

/** A store's notice of a change that another process may have made. */
export type Invalidation =
  /** `at`: when another process made the change, in epoch milliseconds by its clock. Left out: unknown, or an own change. */
  | (Stale & { readonly at?: number | undefined })
  /** `lost`: other processes' changes are no longer reported. `restored`: they are again, and the caches must be cleared. */
  | { readonly kind: 'lost'; readonly error: unknown }
  | { readonly kind: 'restored' };

/** The number of processes that confirmed a change, and the number of live processes that did not. */
export interface Confirmation {
  readonly acknowledged: number;
  readonly missing: number;
}

/**
 * Keeps tokens and endpoints. Each method is one atomic step: it happens completely or not at all, and its result is already
 * durable. A method that fails rejects (the caller then answers `unavailable`); `false` and `null` are answers, never
 * failures. `version` decides a race for one row: exactly one `replace…` with a given `expectedVersion` returns `true`.
 */
export interface Store {
  /** The token that has one of these digests, with the secret that matched. One read, of the fields that a decision needs. */
  findTokenByDigest(digests: readonly string[]): Promise<FoundToken | null>;
  /** The same by the id of a secret's key (`SecretKey.id`). One read. */
  findTokenByKeyId(keyIds: readonly string[]): Promise<(FoundToken & { readonly publicKey: string }) | null>;
  findToken(id: string): Promise<StoredToken | null>;
  /** The secrets of a token, in any order. Those that have ended may be among them. */
  listSecrets(tokenId: string): Promise<readonly StoredSecret[]>;
  /**
   * Lists a page of tokens. Three kinds of list read no other rows: an organization's tokens, those of one owner or one ownership
   * in it, and those of all organizations. Any other condition may read each token from `after` to `until`.
   */
  listTokens(query: TokenQuery): Promise<readonly StoredToken[]>;
  /** The number of tokens. It is exact below `atMost`. A store may stop counting there and return `atMost`. */
  countTokens(filter: TokenFilter, atMost: number): Promise<number>;
  /**
   * Writes up to 1,000 tokens. `false` for a token whose id, digest or key's id is taken: nothing of it is written. Of those that
   * share one of these in one call, at most one is written.
   */
  insertTokens(tokens: readonly NewToken[]): Promise<readonly boolean[]>;
  /**
   * Writes every field of `token` except `lastUsedAt`, which belongs to {@link recordUsage}. `false`, and nothing is written, if
   * the token is gone or no longer at `expectedVersion`, or if the new secret's digest or its key's id is taken.
   *
   * A rotation removes the other secrets that have ended by `at`, with their keys. Of the living secrets, the one without an end
   * and the latest created ones stay: at most 10, including the new one. Their `endsAt` becomes `othersEndAt`, unless it is
   * earlier.
   */
  replaceToken(
    token: StoredToken,
    expectedVersion: number,
    rotation: SecretRotation | null,
    change: Change,
  ): Promise<boolean>;
  /**
   * Sets `revokedAt` and `updatedAt` to `at`, and adds 1 to `version` without comparing it: a revocation never loses to an edit,
   * and an edit that expects the previous version is refused. `false`, and nothing is written, if there is no such token or it
   * is already revoked.
   */
  revokeToken(id: string, at: number, change: Change): Promise<boolean>;
  /**
   * Removes up to 1,000 tokens with their secrets. `false` for one that was not there, is no longer at its expected version, or is
   * named again.
   */
  deleteTokens(removals: readonly TokenRemoval[]): Promise<readonly boolean[]>;
  /** Up to `limit` tokens with `expiresAt` at or before `before`, in any order. `organization` `null` means all. */
  listExpiredTokens(organization: string | null, before: number, limit: number): Promise<readonly StoredToken[]>;
  /**
   * Moves `lastUsedAt` of each token (and of its counts) forward, never back, and adds to its counts: to those of the token for each
   * endpoint, to those of the token for each day, and to those of its organization for each day. Tokens that are gone are
   * skipped. A batch that rejected may have been written, in part or completely. It is then written again as a whole, so counts
   * may be too high. No decision depends on them.
   */
  recordUsage(usages: readonly Usage[]): Promise<void>;
  /**
   * The counts of up to 1,000 tokens in one read, for one endpoint or, without `endpoint`, for all. The counts of one token are
   * ordered by endpoint, by code unit. Deleting a token deletes its counts.
   */
  listUsage(tokenIds: readonly string[], endpoint?: string): Promise<readonly UsageCount[]>;

  /**
   * The daily counts of a token, or of an organization, by day, endpoint and scope, the latter two by code unit. Deleting a token
   * deletes its own; those of its organization stay.
   */
  listDailyUsage(query: DailyUsageQuery): Promise<readonly DailyCount[]>;
  /**
   * Removes up to `limit` daily counts of days before `before`, or looks for them in a part of them. `true`: more may be left, so
   * call it again.
   */
  trimDailyUsage(before: number, limit: number): Promise<boolean>;

  /** Changes, newest first. The methods that take a {@link Change} write it in the same transaction. A change is never altered. */
  listChanges(query: ChangeQuery): Promise<readonly Change[]>;
  /**
   * Removes up to `limit` changes with `at` before `before`, the oldest first. Returns the number; fewer than `limit` means that
   * no more are left.
   */
  trimChanges(before: number, limit: number): Promise<number>;

  findEndpoint(organization: string, id: string): Promise<StoredEndpoint | null>;
  /** The endpoints with these ids (up to 1,000), in any order. One read. */
  findEndpoints(organization: string, ids: readonly string[]): Promise<readonly StoredEndpoint[]>;
  listEndpoints(query: EndpointQuery): Promise<readonly StoredEndpoint[]>;
  /** `false`, and nothing is written, if the organization already has an endpoint of this id. */
  insertEndpoint(endpoint: StoredEndpoint, change: Change): Promise<boolean>;
  /** `false`, and nothing is written, if there is no endpoint with this organization, id and `uid` at `expectedVersion`. */
  replaceEndpoint(endpoint: StoredEndpoint, expectedVersion: number, change: Change): Promise<boolean>;
  /** `false` if there was none. */
  deleteEndpoint(organization: string, id: string, change: Change): Promise<boolean>;

  /** The entry, unless it has ended by `now`. */
  findEntry(kind: string, id: string, now: number): Promise<StoredEntry | null>;
  /** Those of up to 1,000 ids that have not ended by `now`, in any order. One read. */
  findEntries(kind: string, ids: readonly string[], now: number): Promise<readonly StoredEntry[]>;
  /**
   * Writes a complete entry. `false`, and nothing is written, if the entry of this kind and id is not at `expectedVersion`. An
   * `expectedVersion` of 0 expects no entry, or one that has ended by `now`. Of concurrent calls that expect the same version
   * exactly one gets `true`.
   */
  putEntry(entry: StoredEntry, expectedVersion: number, now: number): Promise<boolean>;
  /** `false` if no entry at `expectedVersion` is left that has not ended by `now`. Of concurrent calls exactly one gets `true`. */
  deleteEntry(kind: string, id: string, expectedVersion: number, now: number): Promise<boolean>;
  /**
   * Removes up to `limit` entries that have ended by `now`, and returns the number. A store may leave entries that ended in the
   * last minutes for a later call. A store that drops ended entries by itself returns 0.
   */
  trimEntries(now: number, limit: number): Promise<number>;

  /**
   * Calls `listener` after each change by any process. It begins with the first other call on the store, because nothing can have
   * been read before. New tokens need not be reported. A listener's errors are ignored. A store that can't do this leaves it
   * out; then only `cache.ttl` limits how long other processes see the old state.
   */
  subscribe?(listener: (invalidation: Invalidation) => void): () => void;
  /**
   * Resolves once every live subscriber, in all processes, has received each change made before this call, or after `timeout`
   * milliseconds. A store whose subscribers can't answer leaves it out.
   */
  confirm?(timeout: number): Promise<Confirmation>;
  /** The reads of verification from a replica. Left out: there is none. Everything else is read from the primary. */
  readonly mirror?: Mirror | undefined;
  /**
   * Does `work` on the store inside a transaction that the application has begun. What `work` writes is there once the application
   * commits, for everyone at once, and then listeners are told of it. If `work` rejects, its writes are undone, and the
   * transaction goes on. Calls for one transaction wait for each other. A store that can't do this leaves it out.
   *
   * @throws PosternError `input_invalid`: no client of this database, or no transaction is open; `unavailable`: the database has
   *   ended it
   */
  within?<T>(transaction: object, work: (store: StoreWithin) => Promise<T>): Promise<T>;
  /** Frees the store's resources. Idempotent. Every other later call rejects. */
  close(): Promise<void>;
}

/** A store inside a transaction of the application. It sees the transaction's own changes, and others' as the isolation level says. */
export interface StoreWithin extends Omit<Store, 'subscribe' | 'confirm' | 'mirror' | 'within' | 'close'> {
  /**
   * Until the transaction ends, everyone else who writes the entry of this name waits. Returns the entry in its latest state, unless
   * there is none or it has ended by `now`.
   */
  lockEntry(kind: string, id: string, now: number): Promise<StoredEntry | null>;
}

/** The reads of a verification. */
export type VerificationReads = Pick<
  Store,
  'findTokenByDigest' | 'findTokenByKeyId' | 'findToken' | 'findEndpoint' | 'listEndpoints'
>;

/**
 * Where a read of a {@link Mirror} was answered: by the `replica`; or by the primary, because the replica did not know the row
 * (`absent`), because this process knows of a later change (`changed`), or because the replica was too far behind (`behind`), failed
 * (`failed`) or was not in use (`unused`).
 */
export type MirrorAnswer = 'replica' | 'absent' | 'changed' | 'behind' | 'failed' | 'unused';

/** Its methods never throw. */
export interface MirrorWatcher {
  /** The replica is used from now on, or no longer. */
  used(isUsed: boolean, error: unknown): void;
  /** A read was answered. */
  answered(by: MirrorAnswer): void;
}

/**
 * Reads of verification from a replica, which may be behind. They never return a state from before a change that the store's
 * listeners were told of, nor from before the first of these reads. An absence comes from the primary only, except that an
 * organization may lack endpoints whose creation was not told yet.
 */
export interface Mirror extends VerificationReads {
  /** A state older than this is not returned. Milliseconds. */
  readonly maxLag: number;
  /** The last answer of the replica was at most so old, in milliseconds; `null`: it has shown nothing of this process yet. */
  readonly lag: number | null;
  /** Returns a function that ends it. */
  watch(watcher: MirrorWatcher): () => void;
}
