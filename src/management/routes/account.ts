import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { endedCookie, sessionCookie } from '../http/cookie.js';
import { tokenCaller } from '../identification.js';
import { can, grantable, managesOwn } from '../permissions.js';
import type { Owners } from '../wire/owners.js';
import { nothing, organizationAnswer, userAnswer } from '../wire/schemas.js';
import { sessionAnswer, signIn } from '../wire/session-schemas.js';
import { organizationShape, tokenTypeShapes } from '../wire/shapes.js';
import type { Session, User } from '../wire/types.js';
import { openRoute, type Route, route } from './route.js';

const SESSION = '/api/v1/session';

/** Who the caller is. */
export const accountRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/auth/current',
    id: 'currentUser',
    summary: 'The owner of the credential',
    tag: 'Account',
    answer: userAnswer,
    handle: async ({ owners, caller }) => ({ body: await ownerOf(owners, caller) }),
  }),

  route({
    method: 'GET',
    path: '/api/v1/current_org',
    id: 'currentOrganization',
    summary: 'The organization of the credential',
    tag: 'Account',
    answer: organizationAnswer,
    handle: async ({ caller }) => ({ body: organizationShape(caller.principal.organization) }),
  }),

  route({
    method: 'GET',
    path: SESSION,
    id: 'currentSession',
    summary: 'Who is calling, and what they may do and grant: what the console asks first',
    tag: 'Account',
    answer: sessionAnswer,
    handle: async ({ context, owners, caller }) => ({
      body: sessionShape(context, caller, await ownerOf(owners, caller)),
    }),
  }),
];

/** The console's own sign-in: where there is no application around it that knows its people. */
export const signInRoutes: readonly Route[] = [
  openRoute({
    method: 'POST',
    path: SESSION,
    id: 'signIn',
    summary: 'Signs in to the console with a developer token, kept in a cookie that no script reads',
    tag: 'Account',
    sameOrigin: true,
    body: signIn,
    answer: sessionAnswer,
    refusals: [401, 403],
    async handle({ context, request, body: { token }, secure, owners }) {
      const credential = { token, malformed: false, recheck: false, proof: null };
      const caller = await tokenCaller(context, request, credential, true);
      return {
        body: sessionShape(context, caller, await ownerOf(owners, caller)),
        headers: { 'set-cookie': sessionCookie(token, secure) },
      };
    },
  }),

  openRoute({
    method: 'DELETE',
    path: SESSION,
    id: 'signOut',
    summary: 'Ends the session. The token goes on: revoke it to end both',
    tag: 'Account',
    sameOrigin: true,
    answer: nothing,
    refusals: [403],
    handle: async ({ secure }) => ({ body: {}, headers: { 'set-cookie': endedCookie(secure) } }),
  }),
];

function ownerOf(owners: Owners, { principal: { owner, organization } }: Caller): Promise<User> {
  return owners.of(owner, organization);
}

function sessionShape(context: Context, caller: Caller, user: User): Session {
  const { effective } = grantable(context, caller);
  const manageTokens = can(context, caller, 'manageTokens');
  return {
    user,
    organization: organizationShape(caller.principal.organization),
    owner: caller.principal.owner,
    grants: effective,
    types: tokenTypeShapes(context.ground.settings.catalog),
    can: {
      listTokens: can(context, caller, 'listTokens'),
      manageTokens,
      manageOwn: manageTokens || managesOwn(caller),
      readEndpoints: can(context, caller, 'readEndpoints'),
      manageEndpoints: can(context, caller, 'manageEndpoints'),
      readAudit: can(context, caller, 'readAudit'),
    },
    sign_out: caller.kind === 'token' && caller.ambient,
  };
}
