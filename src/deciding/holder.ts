import type { Life } from '../domain/decide.js';
import type { TokenRules } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Confirmation, Prove } from '../ports/authenticator.js';
import type { Uses } from './uses.js';

/** Restrictions of a signed token, besides its grants. */
export interface Restriction {
  /** `true`: its holder derived it from an API token. `false`: an authenticator vouched for it. */
  readonly derived: boolean;
  /** The key that it is bound to (RFC 7800), for introspection. */
  readonly confirmation: Confirmation | null;
  readonly methods: readonly string[] | null;
  readonly prove: Prove | null;
}

/** The API token that a use is counted for and charged to. */
export interface Account {
  readonly principal: VerifiedPrincipal;
  readonly rules: TokenRules;
  /** The number of the last invalidation before it was read. */
  readonly sequence: number;
  /** By the clock, before it was read. */
  readonly loadedAt: number;
  /** Uses that wait to be written. */
  uses: Uses | null;
}

/** The holder of a credential: facts only. Each call decides by them. */
export interface Holder extends Life {
  readonly principal: VerifiedPrincipal;
  /** When its authenticator has to be asked again, epoch milliseconds. `Infinity`: it has none. */
  readonly trustedUntil: number;
  /** `null`: not a token of this store. */
  readonly account: Account | null;
  /** `null`: an API token, without restrictions. */
  readonly restriction: Restriction | null;
}
