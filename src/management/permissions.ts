import { compileGrants, type EndpointGrant, type Grants, isEndpointGrant } from '../domain/grants.js';
import { VerifiedPrincipal } from '../domain/principal.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { GrantsOf, TokenTypes } from '../domain/token-types.js';
import type { Management } from '../managing/create-managing.js';
import type { Caller, PersonCaller } from './caller.js';
import type { Context } from './context.js';
import { Problem, scopeMissing, tokenUnknown } from './http/problem.js';
import type { Permission } from './options.js';

type Owned = Pick<TokenRecord, 'owner' | 'ownership'>;

/** Whether a caller's scopes give a permission. */
export function can({ settings }: Context, { grants }: Caller, permission: Permission): boolean {
  const scope = settings.permissions[permission];
  return scope !== null && grants.scopes.has(scope);
}

/** @throws Problem 403 */
export function requirePermission(context: Context, caller: Caller, permission: Permission, doing: string): void {
  if (!can(context, caller, permission)) throw scopeMissing(context.settings.permissions[permission], doing);
}

/**
 * Whether a caller manages its own personal tokens without a scope for it: a person of the application does. A token does
 * not, in a header or in a cookie: it could make others that outlive it.
 */
export function managesOwn(caller: Caller): caller is PersonCaller {
  return caller.kind === 'person';
}

/** Whose personal tokens they are. Who has no name owns none. */
export function owns({ owner }: Caller, token: Owned): boolean {
  return token.ownership === 'personal' && owner !== null && token.owner === owner;
}

/** Whether a caller sees a token of its own organization. */
export function sees(context: Context, caller: Caller, token: Owned): boolean {
  if (can(context, caller, 'listTokens')) return true;
  return managesOwn(caller) && (token.ownership === 'organization' || owns(caller, token));
}

/** Refuses who could see no token at all, before any is looked for. @throws Problem 403 */
export function assertMaySee(context: Context, caller: Caller): void {
  if (!managesOwn(caller)) requirePermission(context, caller, 'listTokens', 'see tokens');
}

/** The same of managing. @throws Problem 403 */
export function assertMayManageSome(context: Context, caller: Caller): void {
  if (!managesOwn(caller)) requirePermission(context, caller, 'manageTokens', 'manage tokens');
}

/**
 * The token, where the caller may change it.
 *
 * @throws Problem 404 for one that it can't see, 403 for one that it sees and may not manage
 */
export function managed<Token extends Owned>(context: Context, caller: Caller, token: Token | null): Token {
  if (token === null) throw tokenUnknown();
  if (can(context, caller, 'manageTokens') || (managesOwn(caller) && owns(caller, token))) return token;
  if (!sees(context, caller, token)) throw tokenUnknown();
  throw scopeMissing(context.settings.permissions.manageTokens, 'manage tokens that are not your own');
}

const WIDENED = new WeakMap<Grants, Grants>();

/**
 * What a caller may grant. It is what it holds, and with the permission to manage endpoints access to any of them: who could
 * open an endpoint to everyone anyway may open it to one.
 */
export function grantable(context: Context, caller: Caller): Grants {
  const { grants } = caller;
  if (!can(context, caller, 'manageEndpoints')) return grants;
  const known = WIDENED.get(grants);
  if (known !== undefined) return known;
  const { catalog } = context.core.settings;
  const all = [...catalog.types].filter(([, { form }]) => form === 'endpoint_access');
  const stored = { ...grants.stored, ...Object.fromEntries(all.map(([name]) => [name, { endpoints: '*' as const }])) };
  const widened = compileGrants(stored, catalog, { named: true });
  WIDENED.set(grants, widened);
  return widened;
}

/** The library in a caller's hands, for what grants nothing. */
export function readingAs({ postern }: Context, caller: Caller, from: string | null): Management {
  const { organization, owner } = caller;
  const principal = caller.kind === 'token' ? caller.principal : { organization, owner, types: {} };
  return postern.as(principal, { from: from ?? undefined });
}

/**
 * The library in a caller's hands, with all that it may grant.
 *
 * @throws Problem 403 for who holds nothing at all, and for what makes no tokens: it would be outlived by what it grants
 */
export async function grantingAs(context: Context, caller: Caller, from: string | null): Promise<Management> {
  const grants = grantable(context, caller);
  const { organization, owner } = caller;
  const options = { from: from ?? undefined };
  if (caller.kind === 'token') {
    const { tokenId, ownership } = caller.principal;
    if (!VerifiedPrincipal.issues(caller.principal)) {
      const detail = 'This credential was derived or exchanged from a token and ends soon: grant with the API token.';
      throw new Problem(403, 'issuance_forbidden', detail);
    }
    return context.postern.as(new VerifiedPrincipal({ tokenId, owner, ownership, organization, grants }), options);
  }
  const types = await typesNow(context, organization, grants);
  if (Object.keys(types).length === 0) {
    throw new Problem(
      403,
      'scope_missing',
      'You hold nothing that a token could be granted: ask for a role that does.',
    );
  }
  return context.postern.as({ organization, owner, types }, options);
}

/**
 * Refuses who has limits of its own to change what another token may do, or to have its secret: that one is not held to them.
 *
 * @param id of the token that is changed: its own keeps its limits
 * @throws Problem 403
 */
export async function assertKeepsLimits({ core }: Context, caller: Caller, id: string | null): Promise<void> {
  if (caller.kind === 'person' || caller.principal.tokenId === id) return;
  const own = await core.store.findToken(caller.principal.tokenId);
  if (own === null || own.limits === null) return;
  const detail = 'Your token has limits, and would get around them: use a token without limits.';
  throw new Problem(403, 'limits_forbidden', detail);
}

/**
 * What grants come to now, as types of a token to be made: endpoints that are there and are the ones that were granted, types
 * and scopes that this instance knows, and no type that grants nothing.
 */
export async function typesNow(
  { core }: Context,
  organization: string,
  { stored }: Grants,
): Promise<GrantsOf<TokenTypes>> {
  const types: Record<string, GrantsOf<TokenTypes>[string]> = {};
  for (const [name, grant] of Object.entries(stored)) {
    const type = core.settings.catalog.types.get(name);
    if (isEndpointGrant(grant)) {
      const endpoints = type?.form === 'endpoint_access' ? await endpointsNow(core, organization, grant.endpoints) : [];
      if (endpoints.length > 0) types[name] = { endpoints };
    } else if (type?.form === 'scope_access') {
      const scopes = grant.scopes.filter((scope) => type.expansions.has(scope));
      if (scopes.length > 0) types[name] = { scopes: scopes as `${string}:${string}`[] };
    }
  }
  return types;
}

async function endpointsNow({ store }: Context['core'], organization: string, granted: '*' | readonly EndpointGrant[]) {
  if (granted === '*') return granted;
  const found = await Promise.all(
    granted.map(async ({ id, uid }) => {
      const endpoint = await store.findEndpoint(organization, id);
      return endpoint !== null && (uid === null || uid === endpoint.uid) ? [id] : [];
    }),
  );
  return found.flat();
}
