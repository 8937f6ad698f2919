import type { Grants } from '../domain/grants.js';
import type { LimitState } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { OwnerWords } from './options.js';

interface CommonCaller {
  readonly organization: string;
  /** `null`: nobody by name, who owns nothing. */
  readonly owner: string | null;
  readonly grants: Grants;
}

/** Who holds a token with scopes, sent in a header or kept in the console's cookie. */
export interface TokenCaller extends CommonCaller {
  readonly kind: 'token';
  readonly principal: VerifiedPrincipal;
  /** Whether the browser sent it by itself: then a change needs to be asked for by a page of this server. */
  readonly ambient: boolean;
  /** What is left of the token's limits. */
  readonly limit: LimitState | null;
}

/** Someone whom the application's own session names. Always ambient. */
export interface PersonCaller extends CommonCaller {
  readonly kind: 'person';
  readonly owner: string;
  readonly ambient: true;
  readonly words: OwnerWords;
}

/** Who calls. */
export type Caller = TokenCaller | PersonCaller;
