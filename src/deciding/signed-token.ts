import type { VouchedFacts } from '../base/vouched.js';
import { intersectGrants, type Narrowing, narrowGrants } from '../domain/narrow.js';
import { type PrincipalFields, VerifiedPrincipal } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { Holder, Restriction } from './holder.js';
import type { KnownToken } from './known-token.js';
import type { Lookup } from './token-finder.js';

/** What is remembered of a signed token whose signature was verified: facts, judged at each call beside those of its parent. */
export class SignedToken {
  /** The holder under the parent that it was last seen with: as long as that one is the same, so is this one. */
  #holder: Holder | null = null;
  #under: KnownToken | null = null;

  constructor(
    /** Of its own; `null`: its parent's. */
    readonly identity: PrincipalFields | null,
    readonly narrowing: Narrowing | null,
    readonly parent: Lookup | null,
    /** Whether it has ended where its parent is gone. */
    readonly parentRequired: boolean,
    readonly expiresAt: number,
    readonly trustedUntil: number,
    readonly restriction: Restriction,
  ) {}

  /** Whether its parent was ever here: one that is gone since has ended, and is not another store's business. */
  get hadParent(): boolean {
    return this.#under !== null;
  }

  /** The same token, verified again. */
  succeeds(earlier: SignedToken | undefined): this {
    this.#under = earlier === undefined ? null : earlier.#under;
    return this;
  }

  /** @param parent `null` where it has none, or the store knows none */
  holderUnder(parent: KnownToken | null, catalog: Catalog): Holder {
    if (this.#holder !== null && this.#under === parent) return this.#holder;
    const holder: Holder = {
      principal: new VerifiedPrincipal(this.#fieldsUnder(parent, catalog)),
      revoked: parent?.revoked ?? false,
      secretEndsAt: parent?.secretEndsAt ?? Number.POSITIVE_INFINITY,
      expiresAt: Math.min(this.expiresAt, parent?.expiresAt ?? Number.POSITIVE_INFINITY),
      account: parent,
      restriction: this.restriction,
    };
    this.#holder = holder;
    this.#under = parent;
    return holder;
  }

  /** What it may do is never more than what its parent may do now. */
  #fieldsUnder(parent: KnownToken | null, catalog: Catalog): PrincipalFields {
    const { identity, narrowing } = this;
    if (parent === null) {
      if (identity === null) throw new Error('a derived token without its parent is nobody');
      return identity;
    }
    const endsAt = Math.min(this.expiresAt, parent.expiresAt, parent.secretEndsAt);
    const held = VerifiedPrincipal.grantsOf(parent.principal);
    if (held === null) throw new Error('the parent of a signed token has no grants');
    if (identity !== null) return { ...identity, endsAt, grants: intersectGrants(held, identity.grants, catalog) };
    const { tokenId, owner, ownership, organization } = parent.principal;
    const grants = narrowing === null ? held : narrowGrants(held, narrowing, catalog);
    return { tokenId, owner, ownership, organization, grants, endsAt, mayIssue: 0 };
  }
}

/** @param parent how its parent is looked up, where it has one */
export function signedTokenOf(vouched: VouchedFacts, parent: Lookup | null): SignedToken {
  const { principal, methods, prove, confirmation, expiresAt, trustedUntil } = vouched;
  const required = vouched.parent?.required ?? false;
  return new SignedToken(principal, null, parent, required, expiresAt, trustedUntil, {
    derived: false,
    methods,
    prove,
    confirmation,
  });
}
