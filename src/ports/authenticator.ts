import type { DenialReason } from '../domain/decision.js';
import type { Duration } from '../domain/duration.js';
import type { Ownership } from '../domain/principal.js';
import type { Random } from './environment.js';
import type { Store } from './store.js';

/** What came with a credential of the scheme `DPoP` (RFC 9449 section 7.1). */
export interface Proof {
  /** The value of the one `DPoP` header; `null` where there is none, or more than one. */
  readonly jwt: string | null;
  /** The target of the request as it came: its path, with its query. */
  readonly target: string;
}

/** How a credential was presented. */
export interface Presentation {
  /** The HTTP method, or the full name of the gRPC method (`/bento.Summarizer/Summarize`); `null` where it is not known. */
  readonly method: string | null;
  /** `null`: the credential came as a plain bearer token. */
  readonly proof: Proof | null;
}

/** The key that a credential is bound to: its SHA-256 thumbprint (RFC 7638), as `cnf` names it (RFC 9449 section 6.1). */
export interface Confirmation {
  readonly jkt: string;
}

/** What a credential may do, as in `tokens.create`: token types with their scopes or endpoints. */
export type VouchedTypes = Readonly<
  Record<string, { readonly scopes: readonly string[] } | { readonly endpoints: '*' | readonly string[] } | undefined>
>;

/** The API token that a credential comes from. */
export interface VouchedParent {
  readonly tokenId: string;
  /** The `kid` of the secret that it comes from: it ends with that secret, too. Left out: with the token alone. */
  readonly kid?: string | undefined;
  /** Whether it has ended where the store has no such token; otherwise an unknown parent is another store's business. */
  readonly required: boolean;
}

/**
 * Who a credential is, in the words of `tokens.create`. An authenticator says facts, never a verdict: the instance judges them
 * at each call. All of it is checked: an unknown type, scope or field is a fault, and never an allow.
 */
export interface Vouched {
  /** At least one. An endpoint is granted by its name: it may be called whichever endpoint has the name at that time. */
  readonly types: VouchedTypes;
  /** The person or service; `null` where none is to be named. */
  readonly owner: string | null;
  /** Default: the instance's own. */
  readonly organization?: string | undefined;
  /** Default `'personal'`. */
  readonly ownership?: Ownership | undefined;
  /** From this time on the credential is expired, to the millisecond. `null`: never. */
  readonly endsAt: Date | null;
  /** How long this answer may be remembered before the authenticator is asked again. Default: the instance's `cache.ttl`. */
  readonly trustedFor?: Duration | undefined;
  /**
   * Names the credential in logs, events and the audit, so it must not be a secret: 1 to 64 characters of `A-Za-z0-9_-`.
   * Default: made of the credential's SHA-256.
   */
  readonly tokenId?: string | undefined;
  /**
   * For how long what its holder makes through `as(principal)` may live. Left out: it makes and changes nothing, because that
   * would outlive it.
   */
  readonly mayIssue?: Duration | undefined;
  /**
   * The API token that it was exchanged from, and that it ends with. Default `null`: it has none, and the store is not asked.
   */
  readonly parent?: VouchedParent | null | undefined;
  /** The only methods that it may be used for ({@link Presentation.method}). Default `null`: any. */
  readonly methods?: readonly string[] | null | undefined;
  /**
   * For a credential that is bound to a key: whether what came with it proves possession of that key. It is asked at each call,
   * and rejects when it can't tell (a fault). With `spent` false the call is only explained, and must not use up the proof.
   * Default `null`: a plain bearer token.
   */
  readonly prove?: ((presentation: Presentation, now: number, spent: boolean) => Promise<boolean>) | null | undefined;
  /** The key that it is bound to, for introspection to tell. Needed beside `prove`, where others shall accept it. */
  readonly confirmation?: Confirmation | null | undefined;
}

export const REFUSALS = [
  'token_unknown',
  'token_expired',
  'token_revoked',
  'token_malformed',
] as const satisfies readonly DenialReason[];

/** Why a credential is refused. */
export type Refusal = (typeof REFUSALS)[number];

/**
 * A kind of credential that an instance accepts besides API tokens and what is derived from them. The credentials are JWTs, or
 * have their form: three parts of base64url with dots between them, the first one a JSON object.
 *
 * @example
 * const sessions: Authenticator = {
 *   accepts: (token) => isOurs(token),
 *   async authenticate(token) {
 *     const session = await verify(token);
 *     if (session === null) return 'token_unknown';
 *     return { types: { developer: { scopes: session.scopes } }, owner: session.user, endsAt: session.endsAt };
 *   },
 * };
 * createPostern({ store, authenticators: [sessions] });
 */
export interface Authenticator {
  /**
   * Whether this credential is for it to judge, told by form alone (the header's `typ`, the unverified `iss`): no I/O, and
   * nothing is believed. The first authenticator that accepts a credential judges it, and no other does.
   */
  accepts(token: string): boolean;
  /**
   * Verifies a credential. It answers a {@link Refusal} when the credential is not good. It rejects when it can't tell (its key
   * server is down): the call is refused as `unavailable` with cause `issuer` (`store` when the store failed).
   *
   * @param now the instance's time, in epoch milliseconds
   */
  authenticate(token: string, now: number): Vouched | Refusal | Promise<Vouched | Refusal>;
  /** Gives back what it holds, when the instance is closed. */
  close?(): void | Promise<void>;
}

/** What an instance gives to an authenticator that is attached to it. */
export interface AuthenticatorHost {
  /** The instance's store. Every failure of it is a `PosternError` (`unavailable`). */
  readonly store: Store;
  readonly random: Random;
  /** Epoch milliseconds, by the instance's clock. */
  now(): number;
  /** Tells the application (`onEvent`) of something that failed beside a decision. */
  fault(error: unknown): void;
}

/** Makes an authenticator for each instance, out of what that gives: `accessTokens(…)`, `trustedIssuer(…)` of `postern/jwt`. */
export interface AttachableAuthenticator {
  attach(host: AuthenticatorHost): Authenticator;
}
