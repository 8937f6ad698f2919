import type { Limits } from './limits.js';
import type { Ownership } from './principal.js';
import type { GrantsOf, TokenTypes } from './token-types.js';

/** Any JSON value. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The application's own notes on a token. Not a place for secrets: records are listed and logged. */
export type Metadata = { readonly [key: string]: JsonValue };

/** A grant of a deleted endpoint. A later endpoint of the same name is another one. */
export interface DeadGrant {
  /** The token type. */
  readonly type: string;
  /** The endpoint's id. */
  readonly endpoint: string;
}

/** A token without its secret: safe to log, list and show. */
export interface TokenRecord<T extends TokenTypes = TokenTypes> {
  readonly id: string;
  readonly name: string;
  /** Empty if none was given. */
  readonly description: string;
  readonly types: GrantsOf<T>;
  /**
   * The grants above whose endpoint was deleted: they reach nothing any more. `tokens.update` with `types` drops the grants that
   * it leaves out, and binds each endpoint that it names to the current endpoint of that name. Left out if there are none, and
   * always in events and the audit log.
   */
  readonly deadGrants?: readonly DeadGrant[];
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  /** The first and the last characters of the token, to recognize it. For an imported token: the start of its digest. */
  readonly hint: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** `null`: never. At this instant the token is already expired. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Written in batches: at most one flush interval late. */
  readonly lastUsedAt: Date | null;
  readonly metadata: Metadata;
  /** Calls in a window of time: points, and the window in milliseconds. `null`: no limit. */
  readonly rateLimit: Limits['rateLimit'];
  /** Calls in total: points, and the milliseconds until they come back. `null`: no limit. */
  readonly quota: Limits['quota'];
  /** Whether its holder may make and change tokens and endpoints, as far as the grants go. */
  readonly mayIssue: boolean;
}
