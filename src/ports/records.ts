import type { Access } from '../domain/endpoint.js';
import type { Ownership } from '../domain/principal.js';

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
  /** JSON of the token's rules (rate limit, quota, whether it makes others), or `null` for none. Like `types`, no store's business. */
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

/** A new secret for a token whose other secrets end at `othersEndAt` at the latest. */
export interface SecretRotation {
  readonly secret: NewSecret;
  readonly othersEndAt: number;
  /** When it is made. The token's secrets that had ended by then are removed. */
  readonly at: number;
}

/** How many secrets a token has at most, the new one of a rotation included. */
export const MOST_SECRETS = 10;

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
