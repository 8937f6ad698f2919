import type { Duration } from '../domain/duration.js';
import type { Ownership } from '../domain/principal.js';
import type { Metadata, TokenRecord } from '../domain/token-record.js';
import type { GrantsOf, TokenTypes } from '../domain/token-types.js';
import type { Confirmation } from '../ports/store.js';

/** What a new token is to be: its name, its grants, whose it is, and how long it lives. */
export interface CreateToken<T extends TokenTypes = TokenTypes> {
  /** 1 to 200 characters. */
  readonly name: string;
  readonly description?: string | undefined;
  /** At least one type, with what it grants. */
  readonly types: GrantsOf<T>;
  readonly organization?: string | undefined;
  readonly owner?: string | null | undefined;
  /** Default `'personal'`; in a principal's hands, what `as(principal, { ownership })` says. */
  readonly ownership?: Ownership | undefined;
  /** From now; or `expiresAt`; neither: never. */
  readonly expiresIn?: Duration | undefined;
  readonly expiresAt?: Date | null | undefined;
  /** A JSON object of at most 16 KiB. */
  readonly metadata?: Metadata | undefined;
  /** How fast the token may call. Needs the `rateLimiter` option. */
  readonly rateLimit?: { readonly points: number; readonly duration: Duration } | null | undefined;
  /** How much the token may call in all, until its points come back. Needs the `rateLimiter` option. */
  readonly quota?: { readonly points: number; readonly refill: Duration } | null | undefined;
  /** Whether its holder may make and change tokens and endpoints, as far as the grants go. Default `true`. */
  readonly mayIssue?: boolean | undefined;
}

/** A token that was issued elsewhere: its digest, and what it is to be here. */
export interface ImportToken<T extends TokenTypes = TokenTypes> extends CreateToken<T> {
  /** SHA-256 of the secret, in hexadecimal. For secrets of at least 128 random bits only: a digest of less can be guessed. */
  readonly digest: string;
}

/** What is to change of a token. What is left out stays. */
export interface UpdateToken<T extends TokenTypes = TokenTypes> {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly types?: GrantsOf<T> | undefined;
  /** From now; or `expiresAt`, where `null` is never. */
  readonly expiresIn?: Duration | undefined;
  readonly expiresAt?: Date | null | undefined;
  /** A function is given what is there, inside the compare-and-swap: it may be called again where someone else was faster. */
  readonly metadata?: Metadata | ((current: Metadata) => Metadata) | undefined;
  /** `null`: no longer. Another policy begins new windows. */
  readonly rateLimit?: CreateToken['rateLimit'];
  readonly quota?: CreateToken['quota'];
}

/** Which tokens. All conditions hold at once. */
export interface CountTokens {
  /** `'*'`: all. Default: the instance's own. */
  readonly organization?: string | undefined;
  readonly owner?: string | undefined;
  readonly ownership?: Ownership | undefined;
  readonly type?: string | undefined;
  /** A text that the name or the description holds; ASCII letters are compared without case. */
  readonly search?: string | undefined;
}

/** Which tokens, and which page of them. */
export interface ListTokens extends CountTokens {
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | null | undefined;
  /**
   * So many tokens are passed over first: for pages by number. Costs as much as reading them, which `cursor` does not. Where
   * there is no index (see `list`): 10,000 at most. Default 0.
   */
  readonly offset?: number | undefined;
}

/** How many there are. */
export interface TokenCount {
  readonly count: number;
  /** There are more, or there may be: they were not counted any further. */
  readonly more: boolean;
}

/**
 * One page of a list. It may have fewer items than were asked for, and even none, though it is not the last: one is no larger
 * than about a million characters, metadata and grants together.
 */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Where the next page begins; `null` on the last one. */
  readonly nextCursor: string | null;
}

/** A token that was just made or given a new secret: the secret, and the record. */
export interface IssuedToken<T extends TokenTypes = TokenTypes> {
  /** The secret. It is shown here and never again. */
  readonly token: string;
  readonly record: TokenRecord<T>;
}

/** How often a token was used for one endpoint, and when last. */
export interface TokenUsage {
  /** `null`: calls that no endpoint was in question for. */
  readonly endpoint: string | null;
  readonly count: number;
  readonly lastUsedAt: Date;
}

/** `postern.tokens`: makes, finds, changes and ends API tokens. */
export interface Tokens<T extends TokenTypes = TokenTypes> {
  /**
   * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`,
   *   `endpoint_unknown`, `expiry_past`, `unavailable`; nothing is written
   */
  create(input: CreateToken<T>): Promise<IssuedToken<T>>;
  /**
   * Takes over a token that was issued elsewhere, by its digest. Its form must be announced in `importedTokens`. Of many, have
   * some hundreds under way at a time: on SQLite they share a wait for the disk.
   *
   * @throws PosternError as `create`, and `token_exists`
   */
  import(input: ImportToken<T>): Promise<TokenRecord<T>>;
  get(id: string): Promise<TokenRecord<T> | null>;
  /**
   * Newest first. `search`, `type`, an owner with an ownership, and an owner in all organizations have no index: one call
   * looks for them in 50,000 tokens at most. A page that has fewer items than `limit` is the last one only where `nextCursor` is
   * `null`.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `unavailable`
   */
  list(query?: ListTokens): Promise<Page<TokenRecord<T>>>;
  /**
   * How many tokens there are, up to 10,000. What has no index (see `list`) is counted among the newest 50,000.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `unavailable`
   */
  count(query?: CountTokens): Promise<TokenCount>;
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
  /**
   * The token stays listed and no longer works: in this process at once, in others as soon as the store tells them. With
   * `wait` it resolves once every live process has said that it knows, or `cache.ttl` has passed, after which none can
   * serve what it knew. Idempotent.
   *
   * It never conflicts, and no edit undoes it.
   *
   * @throws PosternError `input_invalid` for the text of a secret, `unavailable`
   */
  revoke(id: string): Promise<void>;
  revoke(id: string, options: { readonly wait: true }): Promise<Confirmation>;
  revoke(id: string, options: { readonly wait?: boolean }): Promise<Confirmation | undefined>;
  /**
   * Revokes the token that has this secret, which is given as its text. `null`: no token has it.
   *
   * @throws PosternError `input_invalid` for what is no API token, `unavailable`
   */
  revokeSecret(token: string): Promise<TokenRecord<T> | null>;
  /** Begins new windows: what was used of the rate limit and the quota is forgotten. @throws PosternError `token_unknown`, `conflict`, `unavailable` */
  resetLimits(id: string): Promise<void>;
  /** What the token was used for, by endpoint; at most one flush interval behind. */
  usage(id: string): Promise<readonly TokenUsage[]>;
  /** The token is gone. Idempotent. @throws PosternError `input_invalid` for the text of a secret, `unavailable` */
  delete(id: string): Promise<void>;
  /**
   * Ends a leaver: revokes every personal token of an owner, those that are made meanwhile too, and the logins that they approved
   * and that nobody collected yet. Resolves with how many tokens were revoked, once a pass found none alive.
   *
   * @throws PosternError `unavailable`, `conflict`: repeat it, some may be alive
   */
  revokeOwned(query: { readonly owner: string; readonly organization?: string }): Promise<number>;
  /** Deletes tokens that expired longer ago than this. Returns how many. @throws PosternError `unavailable` */
  pruneExpired(query?: { readonly olderThan?: Duration }): Promise<number>;
}
