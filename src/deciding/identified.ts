import { isLimited, NO_RULES, type TokenRules } from '../domain/limits.js';
import type { VerifiedPrincipal } from '../domain/principal.js';
import type { Confirmation } from '../ports/authenticator.js';
import type { Holder } from './holder.js';

/** The reason why no new token may be issued from a credential: the new one could do more, or live longer. */
export type NotReissuable = 'vouched' | 'bound' | 'methods' | 'limits';

/** A credential from which a new token may be issued. */
export interface Reissuable {
  readonly principal: VerifiedPrincipal;
  /** Epoch milliseconds; `Infinity`: never. */
  readonly endsAt: number;
  /** Counts the use. */
  use(): void;
}

/** The facts about a credential that other services may see. They accept the credential for everything in it. */
export interface Tellable {
  readonly principal: VerifiedPrincipal;
  readonly endsAt: number;
  /** `true`: it is an API token itself, and can be revoked. */
  readonly isApiToken: boolean;
  /** The key that it is bound to. */
  readonly confirmation: Confirmation | null;
  /** The limits that its uses are charged to. */
  readonly rules: TokenRules;
}

/**
 * The holder of a credential, with its restrictions. A caller must state its purpose to get the holder, and is refused if a
 * restriction would be lost.
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

  /** For a new token that is issued in its place. Its verifier will not know the limits of this one. */
  toReissue(): Reissuable | NotReissuable {
    const { principal, restriction, account } = this.#holder;
    if (restriction?.prove) return 'bound';
    if (restriction !== null && !restriction.derived) return 'vouched';
    if (restriction?.methods) return 'methods';
    if (account !== null && isLimited(account.rules)) return 'limits';
    return { principal, endsAt: this.#endsAt, use: this.#use };
  }

  /**
   * For other services. `null`: they could not be told of its restrictions.
   *
   * @param method the method of the call that they ask about; `null`: not given
   */
  toTell(method: string | null): Tellable | null {
    const { principal, restriction, account } = this.#holder;
    const methods = restriction?.methods ?? null;
    if (methods !== null && (method === null || !methods.includes(method))) return null;
    const confirmation = restriction?.confirmation ?? null;
    if (restriction?.prove && confirmation === null) return null;
    const isApiToken = account !== null && restriction === null;
    return { principal, endsAt: this.#endsAt, isApiToken, confirmation, rules: account?.rules ?? NO_RULES };
  }

  get #endsAt(): number {
    return Math.min(this.#holder.expiresAt, this.#holder.secretEndsAt);
  }
}
