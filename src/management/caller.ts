import type { Grants } from '../domain/grants.js';
import type { LimitState } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { SecretReference } from '../instance/internals.js';
import type { OwnerWords } from './options.js';

interface CommonCaller {
  /** The principal that the library acts for. For a person of the application's session it has no token. */
  readonly principal: VerifiedPrincipal;
  /** The principal's grants. */
  readonly grants: Grants;
  /** Whether the browser sent the credential by itself. Then a page of this server must have made the request for a change. */
  readonly ambient: boolean;
}

/** The holder of a token with scopes, from a header or from the console's session. */
export interface TokenCaller extends CommonCaller {
  readonly kind: 'token';
  /** The state of the token's limits. */
  readonly limit: LimitState | null;
  /** The token's secret; `null` if it was derived, exchanged, or issued elsewhere. @throws PosternError `unavailable` */
  secret(): Promise<SecretReference | null>;
}

/** A person of the application's own session. */
export interface PersonCaller extends CommonCaller {
  readonly kind: 'person';
  readonly words: OwnerWords;
}

export type Caller = TokenCaller | PersonCaller;
