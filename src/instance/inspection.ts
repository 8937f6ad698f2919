import { findDeadGrants } from '../base/dead-grants.js';
import type { Ground } from '../base/ground.js';
import type { Attempt } from '../deciding/attempt.js';
import type { Authorizer } from '../deciding/authorizer.js';
import { PosternError } from '../domain/errors.js';
import type { Explanation } from '../domain/explain.js';
import { type Principal, VerifiedPrincipal } from '../domain/principal.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';

/** What is to be known of a credential that someone else holds. */
export type Introspection<T extends TokenTypes = AnyTokenTypes> =
  | { readonly active: false }
  | {
      readonly active: true;
      readonly principal: Principal<T>;
      /** Endpoints that it reaches now; `'*'`: every protected one of its organization. */
      readonly endpoints: '*' | readonly string[];
      /** Endpoints that it was granted and that were deleted since. It does not reach what has their names now. */
      readonly deadEndpoints: readonly string[];
      /** `null`: never. */
      readonly endsAt: Date | null;
      /** Whether it is an API token itself, which can be revoked; else it is derived, exchanged, or issued elsewhere. */
      readonly isApiToken: boolean;
      /** Whether it is bound to a key, and useless without a proof of possession. */
      readonly isBound: boolean;
    };

/** Questions about other people's credentials. Nothing is charged or counted for them. */
export interface Inspection<T extends TokenTypes = AnyTokenTypes> {
  /**
   * The decision with its steps, and what would turn a denial into an allow. For its operator's eyes. In a principal's hands
   * (`as`) endpoints are those of its organization, and another organization's token is one that nobody issued.
   *
   * @throws PosternError `requirement_invalid`, `scope_unknown`, `organization_forbidden`
   */
  explain(attempt: Attempt<T>): Promise<Explanation<T>>;
  /**
   * Whether a credential is good now, and for what. In a principal's hands another organization's is not active.
   *
   * @throws PosternError `unavailable`, `record_unreadable`: what can't be told is no "inactive"
   */
  introspect(token: string): Promise<Introspection<T>>;
}

/** @param within the organization of whoever asks; `null`: the application itself, which sees all */
export function createInspection({ store }: Ground, authorizer: Authorizer, within: string | null): Inspection {
  return {
    explain: async (attempt) => authorizer.explain(within === null ? attempt : limited(attempt, within), within),
    async introspect(token) {
      const holder = await authorizer.identify(token, within);
      if ('allowed' in holder) {
        if (holder.reason === 'internal_error') throw holder.error;
        if (holder.reason !== 'unavailable') return { active: false };
        throw new PosternError('unavailable', 'whether this token is good can not be told now: try again', {
          cause: holder.error,
        });
      }
      const { principal, expiresAt, secretEndsAt, account, restriction } = holder;
      const grants = VerifiedPrincipal.grantsOf(principal);
      const { organization } = principal;
      const [dead = []] = grants === null ? [] : await findDeadGrants(store, [{ organization, grants }]);
      const deadEndpoints = [...new Set(dead.map(({ endpoint }) => endpoint))];
      const { endpoints } = principal.grants;
      const end = Math.min(expiresAt, secretEndsAt);
      return {
        active: true,
        principal,
        endpoints: endpoints === '*' ? endpoints : endpoints.filter((id) => !deadEndpoints.includes(id)),
        deadEndpoints,
        endsAt: Number.isFinite(end) ? new Date(end) : null,
        isApiToken: account !== null && restriction === null && VerifiedPrincipal.issues(principal),
        isBound: restriction !== null && restriction.prove !== null,
      };
    },
  };
}

/** The attempt with its requirement in an organization: left out, it would be the instance's own, or the token's. */
function limited(attempt: Attempt, within: string): Attempt {
  const { requirement } = attempt;
  if (typeof requirement !== 'object' || requirement === null) return attempt;
  if (!Object.hasOwn(requirement, 'endpoint') && !Object.hasOwn(requirement, 'scope')) return attempt;
  const named = Object.hasOwn(requirement, 'organization')
    ? (requirement as { organization: unknown }).organization
    : within;
  if (named !== within) {
    throw new PosternError('organization_forbidden', 'this caller asks about its own only: leave it out', {
      path: 'requirement.organization',
    });
  }
  return { ...attempt, requirement: { ...requirement, organization: within } as typeof requirement };
}
