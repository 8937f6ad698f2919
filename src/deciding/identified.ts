import { isLimited } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Confirmation } from '../ports/authenticator.js';
import type { Holder } from './holder.js';

/** Why nothing may be issued anew from a credential: it would be good for more, or for longer, than the credential is. */
export type NotReissuable = 'vouched' | 'bound' | 'methods' | 'limits';

/** A credential that something may be issued from. */
export interface Reissuable {
  readonly principal: VerifiedPrincipal;
  /** Epoch milliseconds; `Infinity`: never. */
  readonly endsAt: number;
  /** Counts the use. */
  use(): void;
}

/** What may be told others of a credential, who will take it for all that they are told. */
export interface Tellable {
  readonly principal: VerifiedPrincipal;
  readonly endsAt: number;
  /** An API token itself: it can be revoked. */
  readonly isApiToken: boolean;
  /** The key that it is bound to. */
  readonly confirmation: Confirmation | null;
}

/**
 * Who holds a credential. Its restrictions travel with it: nobody gets at it without saying what becomes of it, and each answer
 * leaves out what would lose one of them.
 */
export class Identified {
  readonly #holder: Holder;
  readonly #use: () => void;

  constructor(holder: Holder, use: () => void) {
    this.#holder = holder;
    this.#use = use;
  }

  get organization(): string {
    return this.#holder.principal.organization;
  }

  /** For what is issued in its place, and judged elsewhere, where nobody hears of its limits. */
  toReissue(): Reissuable | NotReissuable {
    const { principal, restriction, account } = this.#holder;
    if (restriction?.prove) return 'bound';
    if (restriction !== null && !restriction.derived) return 'vouched';
    if (restriction?.methods) return 'methods';
    if (account !== null && isLimited(account.rules)) return 'limits';
    return { principal, endsAt: this.#endsAt, use: this.#use };
  }

  /**
   * For others to be told. `null`: they could not be told of what it is not good for.
   *
   * @param method the method of the call that they ask for; `null`: they do not say
   */
  toTell(method: string | null): Tellable | null {
    const { principal, restriction, account } = this.#holder;
    const methods = restriction?.methods ?? null;
    if (methods !== null && (method === null || !methods.includes(method))) return null;
    const confirmation = restriction?.confirmation ?? null;
    if (restriction?.prove && confirmation === null) return null;
    return { principal, endsAt: this.#endsAt, isApiToken: account !== null && restriction === null, confirmation };
  }

  get #endsAt(): number {
    return Math.min(this.#holder.expiresAt, this.#holder.secretEndsAt);
  }
}
