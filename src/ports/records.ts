import type { Access } from '../domain/endpoint.js';
import type { Ownership } from '../domain/principal.js';
import type { Change } from './changes.js';

/**
 * A token as a store keeps it: flat, times in epoch milliseconds. `types` and `metadata` are JSON texts that a store neither
 * reads nor changes, so that a damaged text affects one token, not a whole page.
 */
export interface StoredToken {
  readonly id: string;
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly name: string;
  readonly description: string;
  /** JSON of the grants: an object of `{ scopes }` or `{ endpoints }` by the name of the token type. */
  readonly types: string;
  /** The keys of `types`, to filter by. */
  readonly typeNames: readonly string[];
  /** JSON of an object. */
  readonly metadata: string;
  readonly hint: string;
  /** JSON of the token's rules (rate limit, quota, whether it may issue), or `null` for none. Like `types`, a store doesn't read it. */
  readonly limits: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly lastUsedAt: number | null;
  /** 1 for a new token, one more for each change. `replaceToken` compares it. */
  readonly version: number;
}

/** One secret of a token, as a digest only. A token has one current secret, and older ones that rotations have replaced. */
export interface StoredSecret {
  /** 64 hexadecimal digits: SHA-256 of the secret, or its HMAC under a pepper. Unique in a store. */
  readonly digest: string;
  /** The id of the pepper, or `null` for none. */
  readonly pepper: string | null;
  readonly createdAt: number;
  /** The time at which it stops working; `null`: with the token. */
  readonly endsAt: number | null;
}

/** The part of a token that a decision needs. */
export type TokenFacts = Pick<
  StoredToken,
  'id' | 'organization' | 'owner' | 'ownership' | 'types' | 'limits' | 'expiresAt' | 'revokedAt'
>;

/** The part of a secret that a decision needs. */
export type SecretFacts = Pick<StoredSecret, 'digest' | 'endsAt'>;

/** A token that was found by one of its secrets. */
export interface FoundToken {
  readonly token: TokenFacts;
  /** The secret that matched. */
  readonly secret: SecretFacts;
}

/**
 * The public half of the Ed25519 key that is derived from a secret. It verifies the tokens that the secret's holder derived
 * offline, and can't make any.
 */
export interface SecretKey {
  /**
   * 64 hexadecimal digits: the thumbprint of the public key (RFC 7638), or its HMAC under the pepper. Unique in a store. With a
   * pepper, an attacker who can write to the store still can't add a key of their own.
   */
  readonly id: string;
  /** 32 bytes, base64url without padding: `x` of the key's JWK (RFC 8037 section 2). */
  readonly publicKey: string;
}

/** A secret to be written. `key` is `null` for an imported token, and in a runtime without Ed25519. */
export interface NewSecret extends StoredSecret {
  readonly key: SecretKey | null;
}

/** A token to be written, with its first secret and its entry in the audit log. */
export interface NewToken {
  readonly token: StoredToken;
  readonly secret: NewSecret;
  readonly change: Change;
}

/** A token to be removed, with its entry in the audit log. */
export interface TokenRemoval {
  readonly id: string;
  /** Removed at this version only; `null`: at any. */
  readonly expectedVersion: number | null;
  readonly change: Change;
}

/**
 * A small text with a name, an end and a version: a ring of signing keys, a login in progress, the `jti` of a proof that must
 * not be used twice. It never holds a secret in clear: the caller encrypts or hashes secrets first.
 */
export interface StoredEntry {
  /** Its use: `^[a-z_]{1,40}$`. */
  readonly kind: string;
  /** Unique among the entries of its kind: `^[A-Za-z0-9_-]{1,128}$`. */
  readonly id: string;
  /** At most 64 KiB. */
  readonly value: string;
  /** From this time on the entry no longer exists; `null`: it stays. Epoch milliseconds. */
  readonly expiresAt: number | null;
  /** 1 for a new entry, one more for each change. */
  readonly version: number;
}

/** One endpoint, as a store keeps it. Times are epoch milliseconds. */
export interface StoredEndpoint {
  /** Unique for ever: no later endpoint gets it. */
  readonly uid: string;
  readonly organization: string;
  readonly id: string;
  readonly access: Access;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly version: number;
}

/** A new secret for a token. The token's other secrets end at `othersEndAt` at the latest. */
export interface SecretRotation {
  readonly secret: NewSecret;
  readonly othersEndAt: number;
  /** The time of the rotation. Secrets of the token that have ended by then are removed. */
  readonly at: number;
}

/** The most secrets of one token, including the new one of a rotation. */
export const MOST_SECRETS = 10;

/** The uses of a token since the last batch. */
export interface Usage {
  readonly tokenId: string;
  readonly lastUsedAt: number;
  /** Uses to add. */
  readonly counts: readonly DailyCount[];
}

/** Uses on one day, for one endpoint and the same scopes. */
export interface DailyCount {
  /** Days since 1970-01-01, in UTC. */
  readonly day: number;
  /** `''` for calls without an endpoint. */
  readonly endpoint: string;
  /** The needed scopes in order, with a space between them; `''` for calls that need none. */
  readonly scope: string;
  readonly count: number;
}

/** The total uses of a token for one endpoint. */
export interface UsageCount {
  readonly tokenId: string;
  /** The endpoint's id; `''` for calls without an endpoint. */
  readonly endpoint: string;
  readonly count: number;
  readonly lastUsedAt: number;
}
