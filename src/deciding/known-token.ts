import type { TokenRules } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Account, Holder, Restriction } from './holder.js';
import type { Uses } from './uses.js';

/** What is remembered of one secret: facts, never a verdict. Each call judges them against its own clock. */
export class KnownToken implements Holder, Account {
  /** Its uses that wait to be written. */
  uses: Uses | null = null;

  constructor(
    readonly principal: VerifiedPrincipal,
    readonly revoked: boolean,
    readonly secretEndsAt: number,
    readonly expiresAt: number,
    readonly rules: TokenRules,
    /** By the clock, before the read began. */
    readonly loadedAt: number,
    /** The number of the last invalidation before the read began. */
    readonly sequence: number,
    /** Of a token that was looked up by its key's id: the key, for derived tokens to be verified with. */
    readonly publicKey: string | null = null,
  ) {}

  get account(): this {
    return this;
  }

  get restriction(): Restriction | null {
    return null;
  }
}
