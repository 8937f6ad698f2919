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
  /** Whether it may make tokens. Default `true`; `false` for what lives shortly by another token's leave, which it would outlive. */
  readonly issues?: boolean;
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
  readonly #issues: boolean;

  constructor(fields: PrincipalFields) {
    this.tokenId = fields.tokenId;
    this.owner = fields.owner;
    this.ownership = fields.ownership;
    this.organization = fields.organization;
    this.types = fields.grants.types;
    this.grants = fields.grants.effective;
    this.#compiled = fields.grants;
    this.#issues = fields.issues !== false;
    Object.freeze(this);
  }

  /** The compiled grants, or `null` for an object that is not of this class. */
  static grantsOf(value: unknown): Grants | null {
    return typeof value === 'object' && value !== null && #compiled in value ? value.#compiled : null;
  }

  /** Whether it may make tokens: not what was derived or exchanged from one, and would be outlived. */
  static issues(value: unknown): boolean {
    return typeof value === 'object' && value !== null && #issues in value ? value.#issues : true;
  }
}
