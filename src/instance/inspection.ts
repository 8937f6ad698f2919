import { findDeadGrants } from '../base/dead-grants.js';
import type { Ground } from '../base/ground.js';
import type { Attempt } from '../deciding/attempt.js';
import type { Authorizer } from '../deciding/authorizer.js';
import { isDenied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import type { Explanation } from '../domain/explain.js';
import { type Principal, VerifiedPrincipal } from '../domain/principal.js';
import { own } from '../domain/requirement.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import type { Authority } from '../managing/authority.js';
import type { Confirmation } from '../ports/authenticator.js';

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
      /** The key that it is bound to: it is useless without a proof of possession (RFC 9449). `null`: a bearer token. */
      readonly confirmation: Confirmation | null;
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
   * @param options.method the method of the call that is asked about. Left out: a token for some methods only is not active, because
   *   whoever asks would take it for one that is good for all
   * @throws PosternError `unavailable`, `record_unreadable`: what can't be told is no "inactive"
   */
  introspect(token: string, options?: { readonly method?: string | null }): Promise<Introspection<T>>;
}

export function createInspection({ store }: Ground, authorizer: Authorizer, authority: Authority): Inspection {
  const within = authority.actor.kind === 'application' ? null : authority.organization(undefined);
  return {
    async explain(attempt) {
      if (within === null) return authorizer.explain(attempt, null);
      const asked = limited(attempt, within);
      const { endpoint } = (asked.requirement ?? {}) as { readonly endpoint?: unknown };
      if (typeof endpoint === 'string') await authority.assertMayAskAbout(endpoint);
      return authorizer.explain(asked, within);
    },
    async introspect(token, { method = null } = {}) {
      const found = await authorizer.identify(token, within);
      if (isDenied(found)) {
        if (found.reason === 'internal_error') throw found.error;
        if (found.reason !== 'unavailable') return { active: false };
        throw new PosternError('unavailable', 'whether this token is good can not be told now: try again', {
          cause: found.error,
        });
      }
      const told = found.toTell(method);
      if (told === null) return { active: false };
      const { principal, endsAt, isApiToken, confirmation } = told;
      const grants = VerifiedPrincipal.grantsOf(principal);
      const { organization } = principal;
      const [dead = []] = grants === null ? [] : await findDeadGrants(store, [{ organization, grants }]);
      const deadEndpoints = [...new Set(dead.map(({ endpoint }) => endpoint))];
      const { endpoints } = principal.grants;
      return {
        active: true,
        principal,
        endpoints: endpoints === '*' ? endpoints : endpoints.filter((id) => !deadEndpoints.includes(id)),
        deadEndpoints,
        endsAt: Number.isFinite(endsAt) ? new Date(endsAt) : null,
        isApiToken,
        confirmation,
      };
    },
  };
}

/** The attempt with its requirement in an organization: left out, it would be the instance's own, or the token's. */
function limited(attempt: Attempt, within: string): Attempt {
  const requirement = Object.hasOwn(attempt, 'requirement') ? attempt.requirement : null;
  if (typeof requirement !== 'object' || requirement === null) return attempt;
  if (!Object.hasOwn(requirement, 'endpoint') && !Object.hasOwn(requirement, 'scope')) return attempt;
  const named = Object.hasOwn(requirement, 'organization')
    ? (requirement as { organization: unknown }).organization
    : within;
  if (named !== within && named !== own) {
    throw new PosternError('organization_forbidden', 'this caller asks about its own only: leave it out', {
      path: 'requirement.organization',
    });
  }
  return { ...attempt, requirement: { ...requirement, organization: within } as typeof requirement };
}
