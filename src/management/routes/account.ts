import { VERSION } from '../../domain/version.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { endedCookie, sessionCookie, sessionCookies } from '../http/cookie.js';
import { Problem } from '../http/problem.js';
import { tokenCaller } from '../identification.js';
import { can, grantable, managesOwn } from '../permissions.js';
import type { Owners } from '../wire/owners.js';
import { nothing, organizationAnswer, userAnswer } from '../wire/schemas.js';
import { sessionAnswer, signIn } from '../wire/session-schemas.js';
import { organizationShape, tokenTypeShapes } from '../wire/shapes.js';
import type { Session, User } from '../wire/types.js';
import { openRoute, type Route, route } from './route.js';

const SESSION = '/api/v1/session';
/** The most sessions that one request ends: each costs a read, and no credential is needed. */
const MOST_ENDED = 3;

/** The caller, their organization and session. */
export const accountRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/v1/auth/current',
    id: 'currentUser',
    summary: 'The owner of the credential',
    tag: 'Account',
    answer: userAnswer,
    async handle({ owners, caller }) {
      const owner = await ownerOf(owners, caller);
      // BentoCloud's client greets by the email alone.
      return { body: { ...owner, email: owner.email || owner.name } };
    },
  }),

  route({
    method: 'GET',
    path: '/api/v1/current_org',
    id: 'currentOrganization',
    summary: 'The organization of the credential',
    tag: 'Account',
    answer: organizationAnswer,
    handle: async ({ context, caller }) => ({ body: organizationShape(context, caller.principal.organization) }),
  }),

  route({
    method: 'GET',
    path: SESSION,
    id: 'currentSession',
    summary: 'The caller, with their rights and the most that they may grant. The console reads it first',
    tag: 'Account',
    answer: sessionAnswer,
    handle: async ({ context, owners, caller }) => ({
      body: sessionShape(context, caller, await ownerOf(owners, caller)),
    }),
  }),
];

/** The console's own sign-in, for servers without an application that signs people in. */
export const signInRoutes: readonly Route[] = [
  openRoute({
    method: 'POST',
    path: SESSION,
    id: 'signIn',
    summary: 'Signs in to the console with a developer token: a session of at most 8 hours, which ends with the token',
    tag: 'Account',
    sameOrigin: true,
    body: signIn,
    answer: sessionAnswer,
    refusals: [401, 403],
    async handle({ context, request, body: { token }, secure, owners }) {
      const credential = { token, malformed: false, proof: null };
      const caller = await tokenCaller(context, request, credential, true);
      const secret = await context.secrets.of(token);
      if (secret === null) {
        const detail =
          'This was derived from a token, exchanged for one, or issued elsewhere: sign in with the API token.';
        throw new Problem(403, 'issuance_forbidden', detail, { path: 'token' });
      }
      const body = sessionShape(context, caller, await ownerOf(owners, caller));
      await endSessions(context, request, secure);
      const id = await context.sessions.begin({ tokenId: caller.principal.tokenId, secret });
      return { body, headers: { 'set-cookie': sessionCookie(id, secure) } };
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
    async handle({ context, request, secure }) {
      await endSessions(context, request, secure);
      return { body: {}, headers: { 'set-cookie': endedCookie(secure) } };
    },
  }),
];

/** Ends the sessions of all cookies of the request, also of one that someone else has set. */
async function endSessions({ sessions }: Context, { headers }: Request, secure: boolean): Promise<void> {
  const ids = sessionCookies(headers.get('cookie'), secure).slice(0, MOST_ENDED);
  await Promise.all(ids.map((id) => sessions.end(id)));
}

function ownerOf(owners: Owners, { principal: { owner, organization } }: Caller): Promise<User> {
  return owners.of(owner, organization);
}

function sessionShape(context: Context, caller: Caller, user: User): Session {
  const { effective } = grantable(context, caller);
  const manageTokens = can(context, caller, 'manageTokens');
  return {
    user,
    organization: organizationShape(context, caller.principal.organization),
    owner: caller.principal.owner,
    token_id: caller.kind === 'token' ? caller.principal.tokenId : null,
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
    limits: context.ground.settings.rateLimiter !== null,
    version: VERSION,
    sign_out: caller.kind === 'token' && caller.ambient,
  };
}
