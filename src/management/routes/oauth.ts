import type { Holder } from '../../deciding/holder.js';
import type { Denied } from '../../domain/decision.js';
import { VerifiedPrincipal } from '../../domain/principal.js';
import type { Context } from '../context.js';
import { OAuthError } from '../http/oauth-error.js';
import { internalError, scopeMissing, unavailable } from '../http/problem.js';
import { can, managesOwn, owns, requirePermission } from '../permissions.js';
import { introspectionAnswer, introspectionForm, revocationForm } from '../wire/oauth-schemas.js';
import { nothing } from '../wire/schemas.js';
import { type Route, route } from './route.js';

const tag = 'OAuth';
const INACTIVE = { active: false };

/** Introspection (RFC 7662) and revocation (RFC 7009). */
export const oauthRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/oauth/introspect',
    id: 'introspect',
    summary: 'Whether a token is good, and what for (RFC 7662)',
    tag,
    oauth: true,
    form: introspectionForm,
    answer: introspectionAnswer,
    permit: (context, caller) => requirePermission(context, caller, 'listTokens', 'introspect tokens'),
    async handle({ context, caller, body: { token } }) {
      const holder = await holderOf(context, token);
      // Section 2.2: of what is not active, or not the caller's to see, nothing is told.
      const active = holder !== null && holder.principal.organization === caller.organization;
      return { body: active ? introspected(holder) : INACTIVE };
    },
  }),

  route({
    method: 'POST',
    path: '/oauth/revoke',
    id: 'revoke',
    summary: 'Revokes the API token that is sent (RFC 7009): the caller’s own, or any with iam:write',
    tag,
    oauth: true,
    form: revocationForm,
    answer: nothing,
    async handle({ context, caller, library, body: { token } }) {
      const holder = await holderOf(context, token);
      // Section 2.2: an invalid token is no error. Another organization's is as if it were one.
      if (holder === null || holder.principal.organization !== caller.organization) return { body: {} };
      const { principal, restriction } = holder;
      if (holder.account === null || restriction !== null || !VerifiedPrincipal.issues(principal)) {
        throw new OAuthError(
          'unsupported_token_type',
          'Only API tokens are revoked: a signed token ends with the one it comes from.',
        );
      }
      const { tokenId } = principal;
      const own =
        caller.kind === 'token' ? caller.principal.tokenId === tokenId : managesOwn(caller) && owns(caller, principal);
      if (!own && !can(context, caller, 'manageTokens')) {
        throw scopeMissing(context.settings.permissions.manageTokens, 'revoke tokens that are not your own');
      }
      await library.tokens.revoke(tokenId);
      return { body: {} };
    },
  }),
];

/** `null` for what is not active. @throws Problem 503, 500: what can't be told is no "inactive" */
async function holderOf({ identifyToken }: Context, token: string): Promise<Holder | null> {
  const found = await identifyToken(token);
  if (!('allowed' in found)) return found;
  throwFault(found);
  return null;
}

function throwFault({ reason }: Denied): void {
  if (reason === 'unavailable') throw unavailable('Whether this token is good can not be told at the moment.');
  if (reason === 'internal_error') throw internalError();
}

function introspected({ principal, expiresAt, secretEndsAt, restriction }: Holder) {
  const { tokenId, owner, organization, grants } = principal;
  const end = Math.min(expiresAt, secretEndsAt);
  return {
    active: true,
    scope: grants.scopes.join(' '),
    client_id: tokenId,
    ...(owner !== null && { username: owner }),
    token_type: restriction?.prove ? 'DPoP' : 'Bearer',
    ...(Number.isFinite(end) && { exp: Math.floor(end / 1000) }),
    sub: owner ?? tokenId,
    organization,
    owner,
    endpoints: grants.endpoints,
  };
}
