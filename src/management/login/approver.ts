import { readGrants } from '../../base/grant-input.js';
import { expiryOf, isRevoked } from '../../base/token-reader.js';
import { excessOf } from '../../domain/grants.js';
import { isLimited } from '../../domain/limits.js';
import { VerifiedPrincipal } from '../../domain/principal.js';
import type { GrantsOf, TokenTypes } from '../../domain/token-types.js';
import type { IssuedToken } from '../../managing/tokens-api.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem, problemOf, unauthorized } from '../http/problem.js';
import { actingAs, can, grantable, managesOwn } from '../permissions.js';
import { grantsOfPerson, personCaller } from '../person.js';
import type { Approval } from './logins.js';

/**
 * By whose right a token will be made, in a form that can be looked at again when it is.
 *
 * @throws Problem 403 for a credential that makes no tokens: one that was derived, exchanged, or issued elsewhere
 */
export async function approverOf(context: Context, caller: Caller): Promise<Approval['approver']> {
  const { principal } = caller;
  const { tokenId } = principal;
  if (caller.kind === 'person') {
    return { kind: 'person', owner: principal.owner as string, types: { ...principal.types } };
  }
  const makes = VerifiedPrincipal.mayIssue(principal) === Number.POSITIVE_INFINITY;
  const token = makes ? await context.ground.store.findToken(tokenId) : null;
  if (token === null) {
    throw new Problem(403, 'issuance_forbidden', 'This credential makes no tokens: approve with an API token.');
  }
  if (isLimited(context.ground.reader.rules(token))) {
    const detail = 'Your token has limits, and would get around them: use a token without limits.';
    throw new Problem(403, 'limits_forbidden', detail);
  }
  return { kind: 'token', tokenId };
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
export async function issueApproved(context: Context, approval: Approval, from: string | null): Promise<IssuedToken> {
  const caller = await callerOf(context, approval);
  if (caller === null || !(managesOwn(caller) || can(context, caller, 'manageTokens'))) throw noLonger();
  const { name, expiresIn } = approval;
  const types = approval.types as GrantsOf<TokenTypes>;
  try {
    return await actingAs(context, caller, from).tokens.create({
      name,
      types,
      ownership: 'personal',
      ...(expiresIn !== null && { expiresIn }),
    });
  } catch (error) {
    // What fails on our side says nothing of who approved.
    if (problemOf(error).fault) throw error;
    throw noLonger();
  }
}

/** Who approved, as they are now; `null` for who is gone. */
async function callerOf({ ground }: Context, { approver, organization }: Approval): Promise<Caller | null> {
  if (approver.kind === 'person') {
    const { owner, types } = approver;
    return personCaller(owner, organization, grantsOfPerson(types, ground.settings.catalog), {});
  }
  const token = await ground.store.findToken(approver.tokenId);
  ground.time.read();
  if (token === null || token.organization !== organization) return null;
  if (isRevoked(token) || expiryOf(token) <= ground.time.latest) return null;
  const { reader } = ground;
  return {
    kind: 'token',
    principal: reader.principal(token, null),
    grants: reader.grants(token),
    ambient: false,
    limit: null,
  };
}

function noLonger(): Problem {
  return unauthorized('access_denied', 'Who approved this login may not do so any more: begin it again.');
}
