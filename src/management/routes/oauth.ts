import { ownCopy } from '../../base/check.js';
import type { Introspection } from '../../instance/inspection.js';
import { OAuthError } from '../http/oauth-error.js';
import { scopeMissing } from '../http/problem.js';
import { can, managesOwn, owns, requirePermission } from '../permissions.js';
import { standingShape } from '../wire/limits.js';
import { introspectionAnswer, introspectionForm, revocationForm } from '../wire/oauth-schemas.js';
import { nothing } from '../wire/schemas.js';
import { type Route, route } from './route.js';

const tag = 'OAuth';

/** Introspection (RFC 7662) and revocation (RFC 7009). */
export const oauthRoutes: readonly Route[] = [
  route({
    method: 'POST',
    path: '/oauth/introspect',
    id: 'introspect',
    summary: 'Whether a token is valid, with its rights (RFC 7662)',
    tag,
    oauth: true,
    form: introspectionForm,
    answer: introspectionAnswer,
    permit: (context, caller) => requirePermission(context, caller, 'listTokens', 'introspect tokens'),
    async handle({ library, body: { token, method } }) {
      const found = await library.introspect(token, { method: method ?? null });
      return { body: found.active ? introspected(found) : notActive(found) };
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
      const found = await library.introspect(token, { limits: false });
      // An invalid token is no error (RFC 7009 section 2.2). Another organization's token gets the same answer.
      if (!found.active) return { body: {} };
      const { principal } = found;
      if (!found.isApiToken) {
        throw new OAuthError(
          'unsupported_token_type',
          'Only API tokens can be revoked: a signed token ends with its API token.',
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

/**
 * RFC 7662 section 2.2 wants no reason told to strangers. These callers may read the token's limits anyway, and learn here how long
 * they must wait.
 */
function notActive(found: Extract<Introspection, { active: false }>) {
  const { limits } = ownCopy(found);
  return { active: false, ...(limits !== undefined && { limits: limits.map(standingShape) }) };
}

function introspected({
  principal,
  endpoints,
  deadEndpoints,
  endsAt,
  confirmation,
  limits,
}: Extract<Introspection, { active: true }>) {
  const { tokenId, owner, organization, grants } = principal;
  return {
    active: true,
    scope: grants.scopes.join(' '),
    client_id: tokenId,
    ...(owner !== null && { username: owner }),
    token_type: confirmation === null ? 'Bearer' : 'DPoP',
    ...(confirmation !== null && { cnf: confirmation }),
    ...(endsAt !== null && { exp: Math.floor(endsAt.getTime() / 1000) }),
    sub: owner ?? tokenId,
    organization,
    owner,
    // Clients match endpoints by name, so the names of deleted ones are listed apart.
    endpoints,
    ...(deadEndpoints.length > 0 && { dead_endpoints: deadEndpoints }),
    ...(limits.length > 0 && { limits: limits.map(standingShape) }),
  };
}
