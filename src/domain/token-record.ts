import type { Limits } from './limits.js';
import type { Ownership } from './principal.js';
import type { GrantsOf, TokenTypes } from './token-types.js';

/** What JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** The application's own notes on a token. Not a place for secrets: records are listed and logged. */
export type Metadata = { readonly [key: string]: JsonValue };

/** A grant of an endpoint that is gone. An endpoint that was made later under its name is another one. */
export interface DeadGrant {
  /** The token type. */
  readonly type: string;
  /** The endpoint's id. */
  readonly endpoint: string;
}

/** What is known of a token, without its secret: safe to log, list and show. */
export interface TokenRecord<T extends TokenTypes = TokenTypes> {
  readonly id: string;
  readonly name: string;
  /** Empty where none was given. */
  readonly description: string;
  readonly types: GrantsOf<T>;
  /**
   * Those of the grants above that reach nothing any more, as their endpoint was deleted. `tokens.update` with `types` drops
   * what it leaves out, and binds what it names to the endpoint that has the name then. Left out where there are none, and in
   * events and the audit log.
   */
  readonly deadGrants?: readonly DeadGrant[];
  readonly organization: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  /** The start of the token, to know it by. Of an imported token: the start of its digest. */
  readonly hint: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** `null`: never. At this instant the token is already expired. */
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Written in batches: at most one flush interval behind. */
  readonly lastUsedAt: Date | null;
  readonly metadata: Metadata;
  /** How fast the token may call: points, and the window in milliseconds. `null`: as fast as it likes. */
  readonly rateLimit: Limits['rateLimit'];
  /** How much it may call in all: points, and after how many milliseconds they come back. `null`: without end. */
  readonly quota: Limits['quota'];
  /** Whether its holder may make and change tokens and endpoints, as far as the grants go. */
  readonly mayIssue: boolean;
}
