import type { Duration } from '../domain/duration.js';
import type { LimitStanding } from '../domain/limits.js';
import type { Ownership } from '../domain/principal.js';
import type { Metadata, TokenRecord } from '../domain/token-record.js';
import type { TokenState } from '../domain/token-state.js';
import type { GrantsOf, TokenTypes } from '../domain/token-types.js';
import type { Confirmation } from '../ports/store.js';
import type { DailyUsage, UsageDays } from './usage.js';
import type { Committed, InTransaction } from './within.js';

/** A new token: its name, grants, owner, and life. */
export interface CreateToken<T extends TokenTypes = TokenTypes> {
  /** 1 to 200 characters. */
  readonly name: string;
  readonly description?: string | undefined;
  /** At least one type, with its grants. */
  readonly types: GrantsOf<T>;
  readonly organization?: string | undefined;
  readonly owner?: string | null | undefined;
  /** Default `'personal'`; through `as(principal, { ownership })`, that ownership. */
  readonly ownership?: Ownership | undefined;
  /** From now. Give this or `expiresAt`. Without both, the token never expires. */
  readonly expiresIn?: Duration | undefined;
  readonly expiresAt?: Date | null | undefined;
  /** A JSON object of at most 16 KiB. */
  readonly metadata?: Metadata | undefined;
  /** Calls in a window of time. Needs the `rateLimiter` option. */
  readonly rateLimit?: { readonly points: number; readonly duration: Duration } | null | undefined;
  /** Calls in total. All points come back after `refill`. Needs the `rateLimiter` option. */
  readonly quota?: { readonly points: number; readonly refill: Duration } | null | undefined;
  /** Whether its holder may make and change tokens and endpoints, as far as the grants go. Default `true`. */
  readonly mayIssue?: boolean | undefined;
}

/** A token that was issued elsewhere: its digest, and its record here. */
export interface ImportToken<T extends TokenTypes = TokenTypes> extends CreateToken<T> {
  /** SHA-256 of the secret, in hexadecimal. Only for secrets of at least 128 random bits: a shorter secret can be guessed from it. */
  readonly digest: string;
}

/** Changes to a token. Fields that are left out stay as they are. */
export interface UpdateToken<T extends TokenTypes = TokenTypes> {
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly types?: GrantsOf<T> | undefined;
  /** From now. Give this or `expiresAt`, in which `null` means never. */
  readonly expiresIn?: Duration | undefined;
  readonly expiresAt?: Date | null | undefined;
  /** A function gets the current metadata. It may be called again if another change was faster. */
  readonly metadata?: Metadata | ((current: Metadata) => Metadata) | undefined;
  /** `null`: removed. A changed limit starts new windows. */
  readonly rateLimit?: CreateToken['rateLimit'];
  readonly quota?: CreateToken['quota'];
}

/** The tokens that meet all conditions. */
export interface CountTokens {
  /** `'*'`: all. Default: the instance's own. */
  readonly organization?: string | undefined;
  readonly owner?: string | undefined;
  readonly ownership?: Ownership | undefined;
  readonly type?: string | undefined;
  /** A text that the name or the description contains. ASCII letters are compared without case. */
  readonly search?: string | undefined;
  /**
   * `'expiring'`: it expires within 7 days, in the second half of its life. `'idle'`: it was not used for 30 days. `'active'`: neither
   * these nor expired nor revoked.
   */
  readonly state?: TokenState | undefined;
  /** Tokens that expire within this time from now, or never. Those that have expired are not among them. */
  readonly expires?: Duration | 'never' | undefined;
}

/** A page of the tokens that meet all conditions. */
export interface ListTokens extends CountTokens {
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | null | undefined;
  /**
   * How many tokens to skip, for numbered pages. Skipping costs as much as reading; `cursor` is the cheap way. A page may be `cut`,
   * so add the number of its items to the offset, not `limit`. Without an index (see `list`): 10,000 at most. Default 0.
   */
  readonly offset?: number | undefined;
}

/** The number of tokens, up to a bound. */
export interface TokenCount {
  readonly count: number;
  /** `true`: counting stopped early, so there are more, or may be. */
  readonly more: boolean;
}

/**
 * One page of a list. A page may have fewer items than requested, or none, and still not be the last: its metadata, grants and texts
 * have about a million characters at most.
 */
export interface Page<Item> {
  readonly items: readonly Item[];
  /** Pass it as `cursor` to get the next page; `null` on the last one. */
  readonly nextCursor: string | null;
}

/** A page of tokens. */
export interface TokenPage<Item> extends Page<Item> {
  /** `true`: it has fewer items than `limit` because they are large. The next page begins right behind them. */
  readonly cut: boolean;
  /** Tokens of this page that are left out, because their records are damaged. An event (`fault`) names each. */
  readonly unreadable: number;
}

/** A token that was just made or given a new secret: the secret, and the record. */
export interface IssuedToken<T extends TokenTypes = TokenTypes> {
  /** The secret. It is returned only this once. */
  readonly token: string;
  readonly record: TokenRecord<T>;
}

/** The uses of a token for one endpoint. */
export interface TokenUsage {
  /** `null`: calls without an endpoint. */
  readonly endpoint: string | null;
  readonly count: number;
  readonly lastUsedAt: Date;
}

/** A secret of a token that works: the current one, or one in the grace after a rotation. Its text is nowhere. */
export interface TokenSecret {
  readonly createdAt: Date;
  /** `null`: it works as long as the token. */
  readonly endsAt: Date | null;
}

/** `postern.tokens`: makes, finds, changes and ends API tokens. With `within`, in a transaction of your own ({@link InTransaction}). */
export interface Tokens<T extends TokenTypes = TokenTypes> {
  /**
   * @throws PosternError `input_invalid`, `option_unknown`, `types_missing`, `type_unknown`, `scope_unknown`,
   *   `endpoint_unknown`, `expiry_past`, `conflict` (the owner's tokens are being ended), `unavailable`; nothing is written
   */
  create(input: CreateToken<T>, options: InTransaction): Promise<IssuedToken<T> & Committed>;
  create(input: CreateToken<T>): Promise<IssuedToken<T>>;
  /**
   * Imports a token that was issued elsewhere, by its digest. The option `importedTokens` must list its form.
   *
   * @throws PosternError as `create`, and `token_exists`
   */
  import(input: ImportToken<T>): Promise<TokenRecord<T>>;
  /**
   * Imports many, in batches of up to 100 that are each written in one step. Results are in the order of the inputs, as those of
   * `Promise.allSettled`: one that is refused stops no other.
   *
   * @throws PosternError `unavailable`: some may be there. Repeat the call: those are refused with `token_exists`
   */
  import(inputs: readonly ImportToken<T>[]): Promise<readonly PromiseSettledResult<TokenRecord<T>>[]>;
  get(id: string): Promise<TokenRecord<T> | null>;
  /**
   * Newest first. `search`, `type`, `state`, `expires`, an owner with an ownership, and an owner in all organizations have no index:
   * one call searches 50,000 tokens at most. So a page may have fewer items than `limit` and still not be the last. The last page has the
   * `nextCursor` `null`.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `unavailable`
   */
  list(query?: ListTokens): Promise<TokenPage<TokenRecord<T>>>;
  /**
   * The number of tokens, up to 10,000. Without an index (see `list`), only the newest 50,000 are searched.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `unavailable`
   */
  count(query?: CountTokens): Promise<TokenCount>;
  /**
   * Fields that are left out stay as they are. An expired token stays expired: its expiry can't be moved.
   *
   * @throws PosternError as `create`, and `token_unknown`, `token_expired`, `conflict`
   */
  update(id: string, changes: UpdateToken<T>, options: InTransaction): Promise<TokenRecord<T> & Committed>;
  update(id: string, changes: UpdateToken<T>): Promise<TokenRecord<T>>;
  /**
   * Makes a new secret for the same record. The old secret works until the grace ends (default 0: it stops at once), and never
   * after the token's expiry. A rotation rejects with `conflict` if another one was written after it had read the token.
   *
   * @throws PosternError `token_unknown`, `token_revoked`, `token_expired`, `conflict`, `input_invalid`, `unavailable`
   */
  rotate(id: string, options: { readonly grace?: Duration } & InTransaction): Promise<IssuedToken<T> & Committed>;
  rotate(id: string, options?: { readonly grace?: Duration }): Promise<IssuedToken<T>>;
  /**
   * Revokes a token. It stays in lists but no longer works: in this process at once, in others as soon as the store tells them.
   * With `wait` it resolves once every live process has confirmed the revocation, or after `cache.ttl`, when no cache can hold
   * the old state. Idempotent.
   *
   * It never conflicts, and no edit undoes it.
   *
   * @throws PosternError `input_invalid` for the text of a secret, `unavailable`
   */
  revoke(id: string, options: InTransaction): Promise<Committed>;
  revoke(id: string): Promise<void>;
  revoke(id: string, options: { readonly wait: true }): Promise<Confirmation>;
  revoke(id: string, options: { readonly wait?: boolean }): Promise<Confirmation | undefined>;
  /**
   * Revokes the token with this secret, given as its text. `null`: no token has it.
   *
   * @throws PosternError `input_invalid` for a text that is not an API token, `unavailable`
   */
  revokeSecret(token: string): Promise<TokenRecord<T> | null>;
  /**
   * Starts new windows: the rate limit and the quota are full again.
   *
   * @throws PosternError `token_unknown`, `conflict`, `unavailable`
   */
  resetLimits(id: string): Promise<void>;
  /**
   * What is left of the token's limits, and when all of it comes back. Nothing is charged. Empty: it has no limits.
   *
   * @throws PosternError `token_unknown`, `unavailable`
   */
  limits(id: string): Promise<readonly LimitStanding[]>;
  /**
   * The secrets of a token that work, the current one first: after a rotation, old ones until their grace ends.
   *
   * @throws PosternError `token_unknown`, `unavailable`
   */
  secrets(id: string): Promise<readonly TokenSecret[]>;
  /** The token's uses by endpoint, at most one flush interval late. */
  usage(id: string): Promise<readonly TokenUsage[]>;
  /**
   * The token's uses of the last 90 days, by day, endpoint and scopes.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `unavailable`
   */
  usage(id: string, options: UsageDays & { readonly by: 'day' }): Promise<readonly DailyUsage[]>;
  /** Deletes a token. Idempotent. @throws PosternError `input_invalid` for the text of a secret, `unavailable` */
  delete(id: string, options: InTransaction): Promise<Committed>;
  delete(id: string): Promise<void>;
  /**
   * For a person who leaves: revokes every personal token of an owner, including those made meanwhile, and the logins that the
   * owner approved and nobody has collected. Resolves with the number of revoked tokens, once a pass finds none alive. A `create`
   * for this owner that began before that is refused (`conflict`), also the application's own. A later one is not.
   *
   * @throws PosternError `unavailable`, `conflict`: try again, because some tokens may be alive. The owner gets no tokens until
   *   then, or for 5 minutes
   */
  revokeOwned(query: { readonly owner: string; readonly organization?: string }): Promise<number>;
  /** Deletes tokens that expired longer ago than this. Returns the number. @throws PosternError `unavailable` */
  pruneExpired(query?: { readonly olderThan?: Duration }): Promise<number>;
}
