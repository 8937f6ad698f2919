import type { DenialReason } from '../domain/decision.js';
import type { PrincipalFields } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
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

/** What an authenticator says of a signed token, once its signature and claims are verified. Facts, never a verdict. */
export interface Vouched {
  /** Who it is, with compiled grants. */
  readonly principal: PrincipalFields;
  /** From this time on it is expired; whatever tolerance there is, is in it. Epoch milliseconds. */
  readonly expiresAt: number;
  /** Until when this answer may be remembered; then it is asked again. Epoch milliseconds. */
  readonly trustedUntil: number;
  /**
   * The API token that it was exchanged from, and that it ends with. `required`: where the store has no such token, it has
   * ended; otherwise an unknown parent is another store's business. `null`: it has none, and the store is not asked.
   */
  readonly parent: { readonly tokenId: string; readonly required: boolean } | null;
  /** The only methods that it may be used for ({@link Presentation.method}); `null`: any. */
  readonly methods: readonly string[] | null;
  /**
   * Of a sender-constrained token: whether what came with it proves possession of its key. Asked at each call. Rejects where
   * it can't tell (a fault). Where it is not to be spent, a proof that is good once stays good: the call is only explained.
   * `null`: a plain bearer token.
   */
  readonly prove: ((presentation: Presentation, now: number, spent: boolean) => Promise<boolean>) | null;
}

/** Why a signed token is refused. */
export type Refusal = Extract<DenialReason, 'token_unknown' | 'token_expired' | 'token_revoked' | 'token_malformed'>;

/** What an instance gives to its authenticators. */
export interface AuthenticatorHost {
  /** The instance's store. Every failure of it is a `PosternError` (`unavailable`). */
  readonly store: Store;
  readonly catalog: Catalog;
  /** The organization that is meant where none is named. */
  readonly organization: string;
  readonly random: Random;
  /** Epoch milliseconds, by the instance's clock. */
  now(): number;
  /** Tells the application (`onEvent`) of something that failed beside a decision. */
  fault(error: unknown): void;
}

/** An authenticator in the service of one instance. */
export interface AttachedAuthenticator {
  /**
   * Whether this credential is its to judge, by form alone (the header's `typ`, the unverified `iss`): no I/O, nothing
   * believed. Exactly one authenticator judges a credential: the first that accepts it.
   */
  accepts(token: string): boolean;
  /**
   * Verifies it. Resolves with a {@link Refusal} where it is not good, and rejects where that can't be told (its key server
   * is down): a fault, answered as `unavailable` with cause `issuer` (`store` where the store failed).
   */
  authenticate(token: string, now: number): Promise<Vouched | Refusal>;
  /** Gives back what it holds. */
  close?(): void | Promise<void>;
}

/** A kind of signed token that an instance accepts: `accessTokens(…)`, `trustedIssuer(…)` of `postern/jwt`. */
export interface Authenticator {
  attach(host: AuthenticatorHost): AttachedAuthenticator;
}
