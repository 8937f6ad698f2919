import type { DenialReason } from '../domain/decision.js';
import type { Duration } from '../domain/duration.js';
import type { Ownership } from '../domain/principal.js';
import type { Random } from './environment.js';
import type { Store } from './store.js';

/** The proof that came with a credential of the scheme `DPoP` (RFC 9449 section 7.1). */
export interface Proof {
  /** The value of the `DPoP` header; `null` if there is none, or more than one. */
  readonly jwt: string | null;
  /** The request target as it was sent: the path with the query. */
  readonly target: string;
}

/** The call that a credential came with. */
export interface Presentation {
  /** The HTTP method, or the full name of the gRPC method (`/bento.Summarizer/Summarize`); `null` if it is not known. */
  readonly method: string | null;
  /** `null`: the credential came as a plain bearer token. */
  readonly proof: Proof | null;
}

/**
 * Why a proof is checked.
 * - `use`: the call is about to happen. The proof must be new, and is used up.
 * - `look`: the call is only explained. The proof must be new, and stays so.
 * - `again`: the call was refused, and its refusal is asked for again. Whether the proof is new does not count: it may have been used up
 *   by the refused call itself. The call is not let through.
 */
export type ProofUse = 'use' | 'look' | 'again';

/** Whether the proof of a call shows possession of the key. Rejects if it can't tell. @param now epoch milliseconds */
export type Prove = (presentation: Presentation, now: number, use: ProofUse) => Promise<boolean>;

/** The SHA-256 thumbprint (RFC 7638) of the key that a credential is bound to, in the form of `cnf` (RFC 9449 section 6.1). */
export interface Confirmation {
  readonly jkt: string;
}

/** The grants of a credential, as in `tokens.create`: token types with their scopes or endpoints. */
export type VouchedTypes = Readonly<
  Record<string, { readonly scopes: readonly string[] } | { readonly endpoints: '*' | readonly string[] } | undefined>
>;

/** The API token that a credential comes from. */
export interface VouchedParent {
  readonly tokenId: string;
  /** The `kid` of the secret that it comes from: the credential also ends with that secret. Left out: it ends with the token only. */
  readonly kid?: string | undefined;
  /** `true`: if the store has no such token, the credential has ended. `false`: the parent may be in another store. */
  readonly required: boolean;
}

/**
 * The holder of a credential, in the form of `tokens.create`. An authenticator returns facts, not a decision: the instance
 * decides at each call. Everything is checked: an unknown type, scope or field is a fault, never an allow.
 */
export interface Vouched {
  /** At least one. An endpoint is granted by its name: the grant reaches the endpoint that has the name at the time of the call. */
  readonly types: VouchedTypes;
  /** The person or service; `null` for none. */
  readonly owner: string | null;
  /** Default: the instance's own. */
  readonly organization?: string | undefined;
  /** Default `'personal'`. */
  readonly ownership?: Ownership | undefined;
  /** At this time the credential is already expired, to the millisecond. `null`: it never expires. */
  readonly endsAt: Date | null;
  /** How long this answer may be cached before the authenticator is asked again. Default: the instance's `cache.ttl`. */
  readonly trustedFor?: Duration | undefined;
  /**
   * Names the credential in logs, events and the audit, so it must not be a secret: 1 to 64 characters of `A-Za-z0-9_-`.
   * Default: derived from the credential's SHA-256.
   */
  readonly tokenId?: string | undefined;
  /**
   * The longest life of tokens that its holder makes through `as(principal)`. Left out: it may not make or change anything,
   * because that would outlive it.
   */
  readonly mayIssue?: Duration | undefined;
  /**
   * The API token that it was exchanged from. It ends with that token. Default `null`: none, and the store is not asked.
   */
  readonly parent?: VouchedParent | null | undefined;
  /** The only methods that it may be used for ({@link Presentation.method}). Default `null`: any. */
  readonly methods?: readonly string[] | null | undefined;
  /**
   * For a credential that is bound to a key: whether the call's proof shows possession of that key. It is asked at each call.
   * It rejects if it can't tell: a fault. Default `null`: a plain bearer token.
   */
  readonly prove?: Prove | null | undefined;
  /** The key that it is bound to, for introspection. Needed with `prove` if other services are to accept the credential. */
  readonly confirmation?: Confirmation | null | undefined;
}

export const REFUSALS = [
  'token_unknown',
  'token_expired',
  'token_revoked',
  'token_malformed',
] as const satisfies readonly DenialReason[];

/** The reason why an authenticator refuses a credential. */
export type Refusal = (typeof REFUSALS)[number];

/**
 * A kind of credential that an instance accepts, besides API tokens and tokens derived from them. The credentials are JWTs, or
 * have their form: three base64url parts with dots between them, and the first is a JSON object.
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
   * Whether this authenticator is responsible for the credential. It looks only at the form (the header's `typ`, the unverified
   * `iss`), without I/O, and trusts nothing of it. The first authenticator that accepts a credential verifies it; no other does.
   */
  accepts(token: string): boolean;
  /**
   * Verifies a credential. It returns a {@link Refusal} if the credential is not valid. It rejects if it can't tell (its key
   * server is down): the call is refused as `unavailable` with cause `issuer` (`store` if the store failed).
   *
   * @param now the instance's time, in epoch milliseconds
   */
  authenticate(token: string, now: number): Vouched | Refusal | Promise<Vouched | Refusal>;
  /** Frees its resources. Called when the instance is closed. */
  close?(): void | Promise<void>;
}

/** The parts of an instance that an attached authenticator may use. */
export interface AuthenticatorHost {
  /** The instance's store. Each of its failures is a `PosternError` (`unavailable`). */
  readonly store: Store;
  readonly random: Random;
  /** Epoch milliseconds, by the instance's clock. */
  now(): number;
  /** Reports a failure outside of a decision to the application (`onEvent`). */
  fault(error: unknown): void;
}

/** Makes an authenticator for each instance it is attached to: `accessTokens(…)`, `trustedIssuer(…)` of `postern/jwt`. */
export interface AttachableAuthenticator {
  attach(host: AuthenticatorHost): Authenticator;
}
