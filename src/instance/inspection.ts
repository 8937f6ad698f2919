import { ownCopy } from '../base/check.js';
import { findDeadGrants } from '../base/dead-grants.js';
import type { Ground } from '../base/ground.js';
import { standingsOf } from '../base/windows.js';
import type { Attempt } from '../deciding/attempt.js';
import type { Authorizer } from '../deciding/authorizer.js';
import type { Tellable } from '../deciding/identified.js';
import { isDenied } from '../domain/decision.js';
import { PosternError } from '../domain/errors.js';
import type { Explanation } from '../domain/explain.js';
import type { LimitStanding } from '../domain/limits.js';
import { type Principal, VerifiedPrincipal } from '../domain/principal.js';
import { own } from '../domain/requirement.js';
import type { AnyTokenTypes, TokenTypes } from '../domain/token-types.js';
import type { Authority } from '../managing/authority.js';
import type { Confirmation } from '../ports/authenticator.js';

/** The facts about a credential that someone else holds. */
export type Introspection<T extends TokenTypes = AnyTokenTypes> =
  | {
      readonly active: false;
      /** Only if nothing else is wrong: its limits, of which at least one is used up. It is active again at its `resetsAt`. */
      readonly limits?: readonly LimitStanding[];
    }
  | {
      readonly active: true;
      readonly principal: Principal<T>;
      /** Endpoints that it reaches now; `'*'`: every protected endpoint of its organization. */
      readonly endpoints: '*' | readonly string[];
      /** Granted endpoints that were deleted. The credential doesn't reach new endpoints of the same names. */
      readonly deadEndpoints: readonly string[];
      /** `null`: never. */
      readonly endsAt: Date | null;
      /** `true`: an API token, which can be revoked. `false`: derived, exchanged, or issued elsewhere. */
      readonly isApiToken: boolean;
      /** The key that it is bound to: it is useless without a proof of possession (RFC 9449). `null`: a bearer token. */
      readonly confirmation: Confirmation | null;
      /** What is left of its limits. Empty: it has none. An introspection takes nothing of them. */
      readonly limits: readonly LimitStanding[];
    };

/** Questions about other people's credentials. Nothing is charged or counted for them. */
export interface Inspection<T extends TokenTypes = AnyTokenTypes> {
  /**
   * The decision with its steps, and the grant that would turn a denial into an allow. For operators only. Through
   * `as(principal)`, endpoints are those of the principal's organization, and another organization's token is unknown.
   *
   * @throws PosternError `requirement_invalid`, `scope_unknown`, `organization_forbidden`
   */
  explain(attempt: Attempt<T>): Promise<Explanation<T>>;
  /**
   * Whether a credential is valid now, with its grants. A token with a limit that is used up is not active until its reset. Through `as(principal)`, another organization's credential is not active.
   *
   * @param options.method the method of the call in question. Left out: a token that is limited to some methods is not active,
   *   because the asker would accept it for all methods
   * @param options.limits `false`: its limits are not looked at, so that a token with a limit that is used up is active. For callers
   *   who do not use it, but end it, say
   * @throws PosternError `unavailable` (also if the limiter does not answer, unless `onLimiterFault` is `'allow'`),
   *   `record_unreadable`: the answer is unknown, which is not "inactive"
   */
  introspect(
    token: string,
    options?: { readonly method?: string | null; readonly limits?: boolean },
  ): Promise<Introspection<T>>;
}

export function createInspection(ground: Ground, authorizer: Authorizer, authority: Authority): Inspection {
  const { store, settings } = ground;
  const within = authority.actor.kind === 'application' ? null : authority.organization(undefined);

  async function limitsOf({ principal, rules }: Tellable): Promise<readonly LimitStanding[]> {
    try {
      return await standingsOf(ground, principal.tokenId, rules);
    } catch (error) {
      // Then guards charge nothing either.
      if (settings.onLimiterFault === 'allow') return [];
      throw error;
    }
  }

  return {
    async explain(attempt) {
      if (within === null) return authorizer.explain(attempt, null);
      const asked = limited(attempt, within);
      const { endpoint } = (asked.requirement ?? {}) as { readonly endpoint?: unknown };
      if (typeof endpoint === 'string') await authority.assertMayAskAbout(endpoint);
      return authorizer.explain(asked, within);
    },
    async introspect(token, options = {}) {
      const { method = null, limits: counted = true } = ownCopy(options);
      const found = await authorizer.identify(token, within);
      if (isDenied(found)) {
        if (found.reason === 'internal_error') throw found.error;
        if (found.reason !== 'unavailable') return { active: false };
        throw new PosternError('unavailable', 'this token can not be checked now: try again', {
          cause: found.error,
        });
      }
      const told = found.toTell(method);
      if (told === null) return { active: false };
      const limits = counted ? await limitsOf(told) : [];
      if (!limits.every(({ remaining }) => remaining > 0)) return { active: false, limits };
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
        limits,
      };
    },
  };
}

/** Sets the organization of the attempt's requirement. Without it, the default would be the instance's own, or the token's. */
function limited(attempt: Attempt, within: string): Attempt {
  const requirement = Object.hasOwn(attempt, 'requirement') ? attempt.requirement : null;
  if (typeof requirement !== 'object' || requirement === null) return attempt;
  if (!Object.hasOwn(requirement, 'endpoint') && !Object.hasOwn(requirement, 'scope')) return attempt;
  const named = Object.hasOwn(requirement, 'organization')
    ? (requirement as { organization: unknown }).organization
    : within;
  if (named !== within && named !== own) {
    throw new PosternError(
      'organization_forbidden',
      'this caller may only ask about its own organization: leave it out',
      {
        path: 'requirement.organization',
      },
    );
  }
  return { ...attempt, requirement: { ...requirement, organization: within } as typeof requirement };
}
