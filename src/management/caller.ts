import type { Grants } from '../domain/grants.js';
import type { LimitState } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { OwnerWords } from './options.js';

interface CommonCaller {
  /** In whose hands the library is. Of a person of the application's session it has no token. */
  readonly principal: VerifiedPrincipal;
  /** The principal's. */
  readonly grants: Grants;
  /** Whether the browser sent the credential by itself: then a change needs to be asked for by a page of this server. */
  readonly ambient: boolean;
}

/** Who holds a token with scopes, sent in a header or kept in the console's cookie. */
export interface TokenCaller extends CommonCaller {
  readonly kind: 'token';
  /** What is left of the token's limits. */
  readonly limit: LimitState | null;
}

/** Someone whom the application's own session names. */
export interface PersonCaller extends CommonCaller {
  readonly kind: 'person';
  readonly words: OwnerWords;
}

/** Who calls. */
export type Caller = TokenCaller | PersonCaller;
