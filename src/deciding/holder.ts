import type { Life } from '../domain/decide.js';
import type { Limits } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Presentation } from '../ports/authenticator.js';
import type { Uses } from './uses.js';

/** What a signed token asks for beyond its grants. */
export interface Restriction {
  readonly methods: readonly string[] | null;
  readonly prove: ((presentation: Presentation, now: number, spent: boolean) => Promise<boolean>) | null;
}

/** The API token that a use is counted for and charged to. */
export interface Account {
  readonly principal: VerifiedPrincipal;
  readonly limits: Limits;
  /** Its uses that wait to be written. */
  uses: Uses | null;
}

/** Whose a credential turned out to be. Facts; each call judges them. */
export interface Holder extends Life {
  readonly principal: VerifiedPrincipal;
  readonly limits: Limits;
  /** `null`: no token of this store. */
  readonly account: Account | null;
  /** `null`: an API token, which may be used as it is. */
  readonly restriction: Restriction | null;
}
