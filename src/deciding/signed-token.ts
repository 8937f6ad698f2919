import type { VouchedFacts } from '../base/vouched.js';
import { intersectGrants, type Narrowing, narrowGrants } from '../domain/narrow.js';
import { type PrincipalFields, VerifiedPrincipal } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { Holder, Restriction } from './holder.js';
import type { KnownToken } from './known-token.js';
import type { Lookup } from './token-finder.js';

/** The cached facts about a verified signed token. Each call judges them, together with its parent's. */
export class SignedToken {
  /** The holder for the parent in `#under`. It stays the same while the parent does. */
  #holder: Holder | null = null;
  #under: KnownToken | null = null;

  constructor(
    /** Its own principal; `null`: it has its parent's. */
    readonly identity: PrincipalFields | null,
    readonly narrowing: Narrowing | null,
    readonly parent: Lookup | null,
    /** Whether it ends if its parent is not in the store. */
    readonly parentRequired: boolean,
    readonly expiresAt: number,
    readonly trustedUntil: number,
    readonly restriction: Restriction,
  ) {}

  /** Whether its parent was ever found here. If the parent is missing now, it was deleted, and is not in another store. */
  get hadParent(): boolean {
    return this.#under !== null;
  }

  /** Takes over from an earlier verification of the same token. */
  succeeds(earlier: SignedToken | undefined): this {
    this.#under = earlier === undefined ? null : earlier.#under;
    return this;
  }

  /** @param parent `null`: it has none, or the store doesn't know it */
  holderUnder(parent: KnownToken | null, catalog: Catalog): Holder {
    if (this.#holder !== null && this.#under === parent) return this.#holder;
    const holder: Holder = {
      principal: new VerifiedPrincipal(this.#fieldsUnder(parent, catalog)),
      revoked: parent?.revoked ?? false,
      secretEndsAt: parent?.secretEndsAt ?? Number.POSITIVE_INFINITY,
      expiresAt: Math.min(this.expiresAt, parent?.expiresAt ?? Number.POSITIVE_INFINITY),
      account: parent,
      restriction: this.restriction,
      trustedUntil: this.trustedUntil,
    };
    this.#holder = holder;
    this.#under = parent;
    return holder;
  }

  /** Its grants are never more than the parent's current grants. */
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

/** @param parent the look-up of its parent; `null`: it has none */
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
