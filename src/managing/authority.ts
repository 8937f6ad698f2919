import { PosternError } from '../domain/errors.js';
import { excessOf, type Grants, type StoredGrants } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { Actor } from '../ports/changes.js';

/**
 * In whose hands an API is: the application's own, which may do everything, or a principal's, which is held to its
 * organization, its owner and its grants. Every method of tokens and endpoints asks it.
 */
export interface Authority {
  readonly actor: Actor;
  /** From where it acts, for the audit log. */
  readonly from: string | null;
  /** The organization that is meant: what was named, if it may be. @throws PosternError `organization_forbidden` */
  organization(named: string | undefined): string;
  /** Whether something of this organization may be seen and changed. What may not be is as if it were not there. */
  sees(organization: string): boolean;
  /** The owner of a token to be made. @throws PosternError `owner_forbidden` */
  owner(named: string | null | undefined): string | null;
  /**
   * Refuses to hand out a secret that speaks for someone else: whoever has it acts as its owner.
   *
   * @throws PosternError `owner_forbidden`
   */
  assertMaySpeakFor(token: { readonly owner: string | null; readonly ownership: Ownership }): void;
  /**
   * Refuses who has limits of its own to set any: it would lift them, or make a token without.
   *
   * @throws PosternError `limits_forbidden`
   */
  assertUnlimited(): Promise<void>;
  /**
   * Refuses who would be outlived by what it makes or changes (what was derived or exchanged from a token), and who has limits
   * that it would get around.
   *
   * @param id of the token that is changed: one's own keeps its limits
   * @throws PosternError `issuance_forbidden`, `limits_forbidden`
   */
  assertMayIssue(id?: unknown): Promise<void>;
  /** Refuses grants beyond what is held. @throws PosternError `scope_missing`, `endpoint_not_granted` */
  assertHolds(grants: StoredGrants): Promise<void>;
}

export function applicationAuthority(defaultOrganization: string): Authority {
  return {
    actor: { kind: 'application' },
    from: null,
    organization: (named) => named ?? defaultOrganization,
    sees: () => true,
    owner: (named) => named ?? null,
    assertMaySpeakFor() {},
    assertMayIssue: async () => {},
    assertUnlimited: async () => {},
    assertHolds: async () => {},
  };
}

export interface Holder {
  readonly tokenId: string;
  readonly organization: string;
  readonly owner: string | null;
  /** Of its own token; a person's is `personal`. */
  readonly ownership: Ownership;
  readonly from: string | null;
  /** Whether it may make tokens at all. */
  readonly issues: boolean;
  grants(): Promise<Grants>;
  /** Whether its own token has a rate limit or a quota. */
  hasLimits(): Promise<boolean>;
}

export function principalAuthority(holder: Holder, catalog: Catalog): Authority {
  return {
    actor: { kind: 'principal', tokenId: holder.tokenId, owner: holder.owner },
    from: holder.from,
    organization(named) {
      if (named === undefined || named === holder.organization) return holder.organization;
      throw new PosternError('organization_forbidden', 'this caller acts in its own only: leave it out', {
        path: 'organization',
      });
    },
    sees: (organization) => organization === holder.organization,
    owner(named) {
      if (named === undefined || named === holder.owner) return holder.owner;
      throw new PosternError('owner_forbidden', 'this caller makes tokens for itself only: leave it out', {
        path: 'owner',
      });
    },
    async assertUnlimited() {
      if (!(await holder.hasLimits())) return;
      throw new PosternError(
        'limits_forbidden',
        "this caller's token has limits, and would get around them: use a token without limits",
        { path: 'limits' },
      );
    },
    assertMaySpeakFor({ owner, ownership }) {
      // An organization's token was made by someone, and speaks for the organization, not for them.
      const own = holder.ownership === 'personal' && owner === holder.owner;
      if (ownership === 'organization' || owner === null || own) return;
      throw new PosternError(
        'owner_forbidden',
        "this is someone else's personal token, and its new secret would speak for them: let its owner rotate it, or revoke it",
        { path: 'id' },
      );
    },
    async assertMayIssue(id) {
      if (!holder.issues) {
        throw new PosternError(
          'issuance_forbidden',
          'this credential ends soon, so it makes no tokens: use the API token that it comes from',
        );
      }
      if (id !== holder.tokenId) await this.assertUnlimited();
    },
    async assertHolds(grants) {
      const excess = excessOf(grants, await holder.grants(), catalog);
      if (excess === null) return;
      if (excess.kind === 'scope') {
        throw new PosternError(
          'scope_missing',
          `this caller does not hold ${excess.name}, and can not grant it: ask for less, or use a token that holds it`,
          { path: 'types' },
        );
      }
      const endpoint = excess.name === '*' ? 'every endpoint' : `endpoint "${excess.name}"`;
      throw new PosternError(
        'endpoint_not_granted',
        `this caller does not reach ${endpoint}, and can not grant it: ask for less, or use a token that reaches it`,
        { path: 'types' },
      );
    },
  };
}
