import type { EffectiveGrants, Grants } from './grants.js';
import type { GrantsOf, TokenTypes } from './token-types.js';

/** `personal` tokens end with their owner's membership; `organization` tokens outlive it. */
export type Ownership = 'personal' | 'organization';

/** Who a verified credential is. Safe to log. */
export interface Principal<T extends TokenTypes = TokenTypes> {
  /** The id of the token's record. */
  readonly tokenId: string;
  /** What the token was granted, by type: the same object as the record's. */
  readonly types: GrantsOf<T>;
  /** The person or service that the token was made for; `null` where none was named. */
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  /** What the grants come to. */
  readonly grants: EffectiveGrants;
}

export interface PrincipalFields {
  readonly tokenId: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  readonly grants: Grants;
}

/**
 * The principal of a verified token. A class with its compiled grants in a private field: they can be neither forged by
 * an object of the same shape nor printed, and a hundred thousand principals with the same grants share one set.
 */
export class VerifiedPrincipal implements Principal {
  readonly tokenId: string;
  readonly owner: string | null;
  readonly ownership: Ownership;
  readonly organization: string;
  readonly types: GrantsOf<TokenTypes>;
  readonly grants: EffectiveGrants;
  readonly #compiled: Grants;

  constructor(fields: PrincipalFields) {
    this.tokenId = fields.tokenId;
    this.owner = fields.owner;
    this.ownership = fields.ownership;
    this.organization = fields.organization;
    this.types = fields.grants.types;
    this.grants = fields.grants.effective;
    this.#compiled = fields.grants;
    Object.freeze(this);
  }

  /** The compiled grants, or `null` for an object that is not of this class. */
  static grantsOf(value: unknown): Grants | null {
    return typeof value === 'object' && value !== null && #compiled in value ? value.#compiled : null;
  }
}
