import { readGrants } from '../../base/grant-input.js';
import { excessOf } from '../../domain/grants.js';
import { VerifiedPrincipal } from '../../domain/principal.js';
import type { GrantsOf, TokenTypes } from '../../domain/token-types.js';
import type { IssuedToken } from '../../managing/tokens-api.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem, problemOf, unauthorized } from '../http/problem.js';
import { actingAs, can, grantable, type Library, managesOwn } from '../permissions.js';
import { grantsOfPerson, personCaller } from '../person.js';
import type { Approval, ApprovedLogin } from './logins.js';

/**
 * By whose right a token will be made, in a form that can be looked at again when it is.
 *
 * @throws Problem 403 for a credential that makes no tokens: one that was derived, exchanged, or issued elsewhere
 */
export async function approverOf(context: Context, caller: Caller): Promise<Approval['approver']> {
  const { principal } = caller;
  const { tokenId, owner } = principal;
  if (caller.kind === 'person') return { kind: 'person', owner: owner as string, types: { ...principal.types } };
  const secret = VerifiedPrincipal.issues(principal) ? await caller.secret() : null;
  const token = secret && (await context.ground.store.findToken(tokenId));
  if (secret === null || token === null) {
    throw new Problem(403, 'issuance_forbidden', 'This credential makes no tokens: approve with an API token.');
  }
  if (token.limits !== null) {
    const detail = 'Your token has limits, and would get around them: use a token without limits.';
    throw new Problem(403, 'limits_forbidden', detail);
  }
  return { kind: 'token', tokenId, digest: secret.digest, owner };
}

/** Refuses an approval that could not be kept. @throws Problem 403; PosternError as `tokens.create` for its types */
export async function assertGrantable(context: Context, caller: Caller, types: unknown): Promise<void> {
  const { settings, store } = context.ground;
  const wanted = await readGrants(types, settings.catalog, (id) =>
    store.findEndpoint(caller.principal.organization, id),
  );
  const excess = excessOf(wanted, grantable(context, caller), settings.catalog);
  if (excess === null) return;
  const what =
    excess.kind === 'scope' ? excess.name : excess.name === '*' ? 'every endpoint' : `endpoint ${excess.name}`;
  const code = excess.kind === 'scope' ? 'scope_missing' : 'endpoint_not_granted';
  throw new Problem(403, code, `You do not hold ${what}, and can not grant it: choose less.`, { path: 'types' });
}

/**
 * Makes the token of an approved login, if whoever approved it still may.
 *
 * @throws Problem 401 (`access_denied`); what failed here, as it is
 */
export async function issueApproved(context: Context, login: ApprovedLogin, from: string | null): Promise<IssuedToken> {
  const caller = await approverNow(context, login.approval);
  if (caller === null || !(managesOwn(caller) || can(context, caller, 'manageTokens'))) throw noLonger();
  const { name, expiresIn } = login.approval;
  const input = { name, types: login.approval.types as GrantsOf<TokenTypes>, expiresIn };
  const { tokens } = actingAs(context, caller, from);
  try {
    return await (login.bond === null ? createUnissuing(tokens, input) : tokens.create(input));
  } catch (error) {
    // What fails on our side says nothing of who approved.
    if (problemOf(error).fault) throw error;
    throw noLonger();
  }
}

/** Of a login that could come from anyone: the token makes no others. */
function createUnissuing(tokens: Library['tokens'], input: Parameters<Library['tokens']['create']>[0]) {
  return tokens.create(input);
}

/**
 * Who approved, as they are now; `null` for who may act no more. All that can end an approval before it is collected is looked
 * at here.
 */
async function approverNow(context: Context, { approver, organization }: Approval): Promise<Caller | null> {
  const { ground, gate, secrets } = context;
  if (approver.kind === 'person') {
    const { owner, types } = approver;
    return personCaller(owner, organization, grantsOfPerson(types, ground.settings.catalog), {});
  }
  const secret = secrets.at(approver.digest);
  const decision = await gate.authorize({ token: secret, requirement: { authenticated: true } }, 'look');
  if (!decision.allowed) {
    if (decision.reason === 'unavailable' || decision.reason === 'internal_error') throw decision.error;
    return null;
  }
  const principal = decision.principal as VerifiedPrincipal;
  const grants = VerifiedPrincipal.grantsOf(principal);
  if (grants === null || principal.tokenId !== approver.tokenId) return null;
  return { kind: 'token', principal, grants, ambient: false, limit: null, secret: async () => secret };
}

function noLonger(): Problem {
  return unauthorized('access_denied', 'Who approved this login may not do so any more: begin it again.');
}
