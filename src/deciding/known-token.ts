import type { TokenRules } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Account, Holder, Restriction } from './holder.js';
import type { Uses } from './uses.js';

/** The cached facts about one secret, never a decision. Each call judges them by its own clock. */
export class KnownToken implements Holder, Account {
  /** Uses that wait to be written. */
  uses: Uses | null = null;

  constructor(
    readonly principal: VerifiedPrincipal,
    readonly revoked: boolean,
    readonly secretEndsAt: number,
    readonly expiresAt: number,
    readonly rules: TokenRules,
    /** Clock time before the read began. */
    readonly loadedAt: number,
    /** The number of the last invalidation before the read began. */
    readonly sequence: number,
    /** The key that verifies derived tokens, if the token was looked up by its key's id. */
    readonly publicKey: string | null = null,
  ) {}

  get account(): this {
    return this;
  }

  get restriction(): Restriction | null {
    return null;
  }

  get trustedUntil(): number {
    return Number.POSITIVE_INFINITY;
  }
}
