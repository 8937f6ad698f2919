import { gathered } from '../../base/gathered.js';
import { readGrants } from '../../base/grant-input.js';
import { isLimited } from '../../domain/limits.js';
import { VerifiedPrincipal } from '../../domain/principal.js';
import type { GrantsOf, TokenTypes } from '../../domain/token-types.js';
import { readActing } from '../../instance/acting.js';
import { authorityOf } from '../../instance/authority-of.js';
import { endedSince } from '../../managing/leavers.js';
import type { IssuedToken } from '../../managing/tokens-api.js';
import type { Caller } from '../caller.js';
import type { Context } from '../context.js';
import { Problem, problemOf, unauthorized } from '../http/problem.js';
import { lastEnded } from '../leaving.js';
import { actingAs, can, managesOwn, rightsOf } from '../permissions.js';
import { grantsOfPerson, personCaller } from '../person.js';
import type { Approval, ApprovedLogin } from './logins.js';

/**
 * The approver of a login, in a form that can be checked again when the token is made.
 *
 * @throws Problem 403 for a credential that may make no tokens: one that was derived, exchanged, or issued elsewhere
 */
export async function approverOf(context: Context, caller: Caller): Promise<Approval['approver']> {
  const { principal } = caller;
  const { tokenId, owner } = principal;
  if (caller.kind === 'person') return { kind: 'person', owner: owner as string, types: { ...principal.types } };
  const makes = VerifiedPrincipal.mayIssue(principal) === Number.POSITIVE_INFINITY;
  const secret = makes ? await caller.secret() : null;
  const token = secret && (await context.ground.store.findToken(tokenId));
  if (secret === null || token === null) {
    throw new Problem(403, 'issuance_forbidden', 'This credential may not make tokens: approve with an API token.');
  }
  if (isLimited(context.ground.reader.rules(token))) {
    const detail = 'Your token has limits, and a new token would get around them: use a token without limits.';
    throw new Problem(403, 'limits_forbidden', detail);
  }
  return { kind: 'token', tokenId, digest: secret.digest, owner };
}

/** Refuses to grant more than the approver holds. @throws PosternError as `tokens.create` for its types */
export async function assertGrantable(context: Context, caller: Caller, types: unknown): Promise<void> {
  const { settings, store } = context.ground;
  const { organization } = caller.principal;
  const authority = authorityOf(readActing(caller.principal, rightsOf(context, caller)), context.ground);
  const findEndpoint = gathered(store);
  const wanted = await readGrants(types, settings.catalog, (id) =>
    authority.findEndpoint(id, () => findEndpoint(organization, id)),
  );
  await authority.assertHolds(wanted);
}

/**
 * Makes the token of an approved login, if the approver still may.
 *
 * @throws Problem 401 (`access_denied`); a fault on our side, unchanged
 */
export async function issueApproved(context: Context, login: ApprovedLogin, from: string | null): Promise<IssuedToken> {
  const { approval, bond } = login;
  const caller = await approverNow(context, approval);
  if (caller === null || !(managesOwn(caller) || can(context, caller, 'manageTokens'))) throw noLonger();
  const end = Math.min(context.ground.time.read() + approval.expiresIn, endOf(caller));
  let issued: IssuedToken;
  try {
    issued = await actingAs(context, caller, from).tokens.create({
      name: approval.name,
      types: approval.types as GrantsOf<TokenTypes>,
      ownership: 'personal',
      expiresAt: new Date(end),
      // An unbound login could come from anyone, so its token makes no others.
      mayIssue: bond !== null,
    });
  } catch (error) {
    // A fault on our side says nothing about the approver.
    if (problemOf(error).fault) throw error;
    throw noLonger();
  }
  // If the owner's tokens are ended at this moment, that either finds this token or is seen here.
  if (await hasLeft(context, approval)) {
    await context.postern.tokens.delete(issued.record.id);
    throw noLonger();
  }
  return issued;
}

/** Epoch milliseconds; `Infinity`: never. */
export function endOf({ principal }: Caller): number {
  return principal.endsAt?.getTime() ?? Number.POSITIVE_INFINITY;
}

/**
 * The approver with their present rights; `null` if they may no longer act. Every reason that ends an approval before it is
 * collected is checked here.
 */
async function approverNow(context: Context, approval: Approval): Promise<Caller | null> {
  const { ground, gate, secrets } = context;
  const { approver, organization } = approval;
  if (await hasLeft(context, approval)) return null;
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

/** Whether the approver's tokens were ended since the approval. */
async function hasLeft(context: Context, { approver, organization, lastEnded: before }: Approval): Promise<boolean> {
  return endedSince(before, await lastEnded(context, organization, approver.owner));
}

function noLonger(): Problem {
  return unauthorized('access_denied', 'The person who approved this login may no longer do so: begin it again.');
}
