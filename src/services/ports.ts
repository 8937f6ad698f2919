import type { Access } from '../domain/endpoint.js';
import type { Ownership } from '../domain/principal.js';

/** Epoch milliseconds. */
export type Clock = () => number;

/** Unpredictable bytes, as many as asked for. */
export type Random = (length: number) => Uint8Array;

/**
 * A token as a store keeps it: flat, times in epoch milliseconds. `types` and `metadata` are JSON texts that a store
 * neither reads nor changes: a text that was spoilt by hand is then one token's trouble, not a whole page's.
 */
export interface StoredToken {
  readonly id: string;
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly name: string;
  readonly description: string;
  /** JSON of `StoredGrants`. */
  readonly types: string;
  /** The keys of `types`, to filter by. */
  readonly typeNames: readonly string[];
  /** JSON of an object. */
  readonly metadata: string;
  readonly hint: string;
  /** JSON of the token's rate limit and quota, or `null` for none. Like `types`, no store's business. */
  readonly limits: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  /** 1 for a new token, one more for each change: what `replaceToken` compares. */
  readonly version: number;
}

/** One secret of a token: only its digest. A token has one that goes on, and those that rotations have replaced. */
export interface StoredSecret {
  /** 64 hexadecimal digits: SHA-256 of the secret, or its HMAC under a pepper. Unique in a store. */
  readonly digest: string;
  /** The id of the pepper, or `null` for none. */
  readonly pepper: string | null;
  readonly createdAt: number;
  /** When it stops working; `null`: as long as the token. */
  readonly endsAt: number | null;
}

/**
 * The public half of the Ed25519 key that is derived from a secret: with it, tokens that the secret's holder derived
 * offline are verified, and none can be made.
 */
export interface SecretKey {
  /**
   * 64 hexadecimal digits: the thumbprint of the public key (RFC 7638), or its HMAC under the pepper. Unique in a store. Under
   * a pepper, who can write to the store still can't put a key of his own there.
   */
  readonly id: string;
  /** 32 bytes, base64url without padding: `x` of the key's JWK (RFC 8037 section 2). */
  readonly publicKey: string;
}

/** A secret to be written. `key`: `null` where there is none (an imported token, a runtime without Ed25519). */
export interface NewSecret extends StoredSecret {
  readonly key: SecretKey | null;
}

/**
 * A small text with a name, an end and a version: a signing key's ring, a login that is under way, the `jti` of a proof
 * that must not come twice. Holds no secret in clear: whoever keeps one here has encrypted or hashed it.
 */
export interface StoredEntry {
  /** What it is of: `^[a-z_]{1,40}$`. */
  readonly kind: string;
  /** Unlike any other entry's of its kind: `^[A-Za-z0-9_-]{1,128}$`. */
  readonly id: string;
  /** At most 64 KiB. */
  readonly value: string;
  /** From this time on it is not there any more; `null`: it stays. Epoch milliseconds. */
  readonly expiresAt: number | null;
  /** 1 for a new entry, one more for each change. */
  readonly version: number;
}

/** One endpoint, as a store keeps it. Times are epoch milliseconds. */
export interface StoredEndpoint {
  /** Unlike any other endpoint's, now or ever. */
  readonly uid: string;
  readonly organization: string;
  readonly id: string;
  readonly access: Access;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** Where a page begins: after this row, in the order newest first, then by id from the highest. */
export interface TokenPosition {
  readonly createdAt: number;
  readonly id: string;
}

/** Which tokens. All conditions hold at once. */
export interface TokenFilter {
  /** `null`: every organization. */
  readonly organization: string | null;
  readonly owner?: string;
  readonly ownership?: Ownership;
  readonly type?: string;
  /** Tokens whose name or description holds this text, ASCII letters compared without case. No character is a wildcard. */
  readonly search?: string;
}

/** Which tokens, and which page of them, newest first. */
export interface TokenQuery extends TokenFilter {
  readonly after?: TokenPosition;
  /** So many of the page's first tokens are passed over. Costs as much as reading them: `after` is the cheap way on. */
  readonly offset?: number;
  readonly limit: number;
}

/** Which page of an organization's endpoints, by id. */
export interface EndpointQuery {
  readonly organization: string;
  /** Ids greater than this one, by code unit; the order of the page is the same. */
  readonly after?: string;
  readonly limit: number;
}

/** Who made a change: the application itself, or the holder of a credential. */
export type Actor =
  | { readonly kind: 'application' }
  | { readonly kind: 'principal'; readonly tokenId: string; readonly owner: string | null };

export const CHANGE_TYPES = [
  'token.created',
  'token.imported',
  'token.updated',
  'token.rotated',
  'token.revoked',
  'token.deleted',
  'token.pruned',
  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
] as const;

/** What a change did. */
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** One change, as the audit log keeps it. Holds no secret and no digest. */
export interface Change {
  /** Unlike any other change's. 22 characters of `A-Za-z0-9`. */
  readonly id: string;
  readonly type: ChangeType;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: Actor;
  /** From where, as the application names it (an address); `null` where it doesn't. */
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** JSON of what was shown of it before and after; `null` where there was nothing. No store's business. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Which changes, and which page of them, newest first. All conditions hold at once. */
export interface ChangeQuery {
  /** `null`: every organization. */
  readonly organization: string | null;
  readonly subject?: string;
  readonly type?: ChangeType;
  /** Where the page begins: after this one, in the order newest first (`at`), then by id from the highest. */
  readonly after?: { readonly at: number; readonly id: string };
  readonly limit: number;
}

/** A new secret for a token whose other secrets end at `othersEndAt` at the latest. */
export interface SecretRotation {
  readonly secret: NewSecret;
  readonly othersEndAt: number;
}

/** What a token was used for since the last batch. */
export interface Usage {
  readonly tokenId: string;
  readonly lastUsedAt: number;
  /** Uses to add, by endpoint; `''` for those that no endpoint was in question for. */
  readonly counts: readonly { readonly endpoint: string; readonly count: number }[];
}

/** Uses of a token, counted in all. */
export interface UsageCount {
  readonly tokenId: string;
  /** The endpoint's id; `''`: none was in question. */
  readonly endpoint: string;
  readonly count: number;
  readonly lastUsedAt: number;
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
  listTokens(query: TokenQuery): Promise<readonly StoredToken[]>;
  /**
   * How many tokens there are. Exact, and at the same cost however many there are, where only the organization, or the
   * organization and the ownership, are named; otherwise it may stop counting at `atMost`, and says `atMost` then.
   */
  countTokens(filter: TokenFilter, atMost: number): Promise<number>;
  /** `false`, and nothing written, where the id, the digest or the key's id is taken. */
  insertToken(token: StoredToken, secret: NewSecret, change: Change): Promise<boolean>;
  /**
   * Writes all of `token` but `lastUsedAt`, which belongs to {@link recordUsage}, and rotates the secret where asked: the
   * others' `endsAt` become `othersEndAt` unless they are earlier. `false`, and nothing written, where the token is gone
   * or is no longer at `expectedVersion`, or where the new secret's digest or its key's id is taken.
   */
  replaceToken(
    token: StoredToken,
    expectedVersion: number,
    rotation: SecretRotation | null,
    change: Change,
  ): Promise<boolean>;
  /** Removes the token and its secrets. `false` where there was none. */
  deleteToken(id: string, change: Change): Promise<boolean>;
  /**
   * Ids of up to `limit` tokens, of one organization or (`null`) of all, with `expiresAt` at or before `before`, in any order.
   */
  listExpiredTokens(organization: string | null, before: number, limit: number): Promise<readonly string[]>;
  /**
   * Moves `lastUsedAt` of each token (and of its counts) forward, never back, and adds to its counts. A token that is gone is
   * passed over. One transaction: a batch that rejected is written again whole. Where an answer was lost after the write, its
   * counts are too high by that batch; nothing is decided by them.
   */
  recordUsage(usages: readonly Usage[]): Promise<void>;
  /** The counts of a token, by endpoint, in code unit order. They go with the token. */
  listUsage(tokenId: string): Promise<readonly UsageCount[]>;

  /** Changes, newest first. They are written by the methods that take a {@link Change}, in the same transaction, and never altered. */
  listChanges(query: ChangeQuery): Promise<readonly Change[]>;

  findEndpoint(organization: string, id: string): Promise<StoredEndpoint | null>;
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
   * Calls `listener` after each change, whoever made it; of a new token it need not tell, as nobody can have read that before.
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
