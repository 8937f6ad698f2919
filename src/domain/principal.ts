import type { EffectiveGrants, Grants } from './grants.js';
import { shared } from './shared.js';
import type { GrantsOf, TokenTypes } from './token-types.js';

/** `personal` tokens end with their owner's membership; `organization` tokens outlive it. */
export type Ownership = 'personal' | 'organization';

/** The holder of a verified credential. Safe to log. */
export interface Principal<T extends TokenTypes = TokenTypes> {
  /** The id of the token's record. */
  readonly tokenId: string;
  /** The token's grants by type: the same object as the record's. */
  readonly types: GrantsOf<T>;
  /** The person or service that the token was made for; `null` if none was named. */
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  /** The effect of the grants. */
  readonly grants: EffectiveGrants;
  /**
   * The earliest end among its token, its secret's grace, its JWT and its parent. `null`: none of them ends. A token that it
   * makes through `as(principal)` ends no later.
   */
  readonly endsAt: Date | null;
}

export interface PrincipalFields {
  readonly tokenId: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  readonly grants: Grants;
  /** Epoch milliseconds; `Infinity`: never. */
  readonly endsAt: number;
  /**
   * The longest life of a token that this principal makes, in milliseconds. `Infinity`: as long as the principal itself. 0: it
   * may not make or change anything.
   */
  readonly mayIssue: number;
}

/**
 * The private part of a verified principal: its compiled grants and its right to issue. An object of the same shape, a copy, or
 * one that inherits from it does not have it, and it is never printed. All copies of this package share this class.
 */
const Verified = /* @__PURE__ */ shared(
  'verified-principal',
  () =>
    class {
      readonly #compiled: Grants;
      readonly #mayIssue: number;

      constructor(compiled: Grants, mayIssue: number) {
        this.#compiled = compiled;
        this.#mayIssue = mayIssue;
      }

      /** The compiled grants, or `null` for what is no verified principal. */
      static grantsOf(value: unknown): Grants | null {
        return typeof value === 'object' && value !== null && #compiled in value ? value.#compiled : null;
      }

      /** As {@link PrincipalFields.mayIssue}. Of what is no verified principal, which the application made: `Infinity`. */
      static mayIssue(value: unknown): number {
        return typeof value === 'object' && value !== null && #mayIssue in value
          ? value.#mayIssue
          : Number.POSITIVE_INFINITY;
      }
    },
);

/** The principal of a verified token. A hundred thousand with the same grants share one set. */
export class VerifiedPrincipal extends Verified implements Principal {
  readonly tokenId: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  readonly types: GrantsOf<TokenTypes>;
  readonly grants: EffectiveGrants;
  readonly endsAt: Date | null;

  constructor(fields: PrincipalFields) {
    super(fields.grants, fields.mayIssue);
    this.tokenId = fields.tokenId;
    this.owner = fields.owner;
    this.ownership = fields.ownership;
    this.organization = fields.organization;
    this.types = fields.grants.types;
    this.grants = fields.grants.effective;
    this.endsAt = Number.isFinite(fields.endsAt) ? new Date(fields.endsAt) : null;
    Object.freeze(this);
  }
}
