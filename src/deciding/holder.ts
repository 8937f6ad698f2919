import type { Life } from '../domain/decide.js';
import type { TokenRules } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Confirmation, Presentation } from '../ports/authenticator.js';
import type { Uses } from './uses.js';

/** What a signed token asks for beyond its grants. */
export interface Restriction {
  /** Whether its holder derived it from an API token; else it was vouched for. */
  readonly derived: boolean;
  /** The key that it is bound to (RFC 7800), to tell others. */
  readonly confirmation: Confirmation | null;
  readonly methods: readonly string[] | null;
  readonly prove: ((presentation: Presentation, now: number, spent: boolean) => Promise<boolean>) | null;
}

/** The API token that a use is counted for and charged to. */
export interface Account {
  readonly principal: VerifiedPrincipal;
  readonly rules: TokenRules;
  /** By the clock, before it was read. */
  readonly loadedAt: number;
  /** Its uses that wait to be written. */
  uses: Uses | null;
}

/** Whose a credential turned out to be. Facts; each call judges them. */
export interface Holder extends Life {
  readonly principal: VerifiedPrincipal;
  /** `null`: no token of this store. */
  readonly account: Account | null;
  /** `null`: an API token, which may be used as it is. */
  readonly restriction: Restriction | null;
}
