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
  /**
   * The earliest end of what proved it: token, secret in its grace, JWT, parent. `null`: none of them ends. Nothing that it
   * makes through `as(principal)` ends later.
   */
  readonly endsAt: Date | null;
  /**
   * How long what it makes may live, in milliseconds. 0: it makes and changes nothing, as what was derived, exchanged or replaced.
   * Left out: as long as itself.
   */
  readonly mayIssue?: number;
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
   * How long what it makes may live, in milliseconds from its making. `Infinity`: as long as the principal itself. 0: it makes
   * and changes nothing.
   */
  readonly mayIssue: number;
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
  readonly endsAt: Date | null;
  /** In the open, so that a copy is bound by it too. */
  declare readonly mayIssue?: number;
  readonly #compiled: Grants;

  constructor(fields: PrincipalFields) {
    this.tokenId = fields.tokenId;
    this.owner = fields.owner;
    this.ownership = fields.ownership;
    this.organization = fields.organization;
    this.types = fields.grants.types;
    this.grants = fields.grants.effective;
    this.#compiled = fields.grants;
    this.endsAt = Number.isFinite(fields.endsAt) ? new Date(fields.endsAt) : null;
    if (Number.isFinite(fields.mayIssue)) this.mayIssue = fields.mayIssue;
    Object.freeze(this);
  }

  /** The compiled grants, or `null` for an object that is not of this class. */
  static grantsOf(value: unknown): Grants | null {
    return typeof value === 'object' && value !== null && #compiled in value ? value.#compiled : null;
  }
}
