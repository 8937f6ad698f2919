import { type Grants, withAllEndpoints } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import type { TokenRecord } from '../domain/token-record.js';
import type { Inspection } from '../instance/inspection.js';
import type { EndpointRights } from '../managing/authority.js';
import type { Management } from '../managing/create-managing.js';
import type { Caller, PersonCaller } from './caller.js';
import type { Context } from './context.js';
import { scopeMissing, tokenUnknown } from './http/problem.js';
import type { Permission } from './options.js';

type Owned = Pick<TokenRecord, 'owner' | 'ownership'>;

/** The library, limited to a caller's rights. */
export type Library = Management & Inspection;

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
 * Whether a caller may manage its own personal tokens without a scope. A person of the application may. A token may not, neither in
 * a header nor in a session, because it could make others that outlive it.
 */
export function managesOwn(caller: Caller): caller is PersonCaller {
  return caller.kind === 'person';
}

/** Whether a token is the caller's own personal one. A caller without a name owns none. */
export function owns({ principal: { owner } }: Caller, token: Owned): boolean {
  return token.ownership === 'personal' && owner !== null && token.owner === owner;
}

/** Whether a caller sees a token of its own organization. */
export function sees(context: Context, caller: Caller, token: Owned): boolean {
  if (can(context, caller, 'listTokens')) return true;
  return managesOwn(caller) && (token.ownership === 'organization' || owns(caller, token));
}

/** Refuses a caller who may see no token at all, before any is read. @throws Problem 403 */
export function assertMaySee(context: Context, caller: Caller): void {
  if (!managesOwn(caller)) requirePermission(context, caller, 'listTokens', 'see tokens');
}

/** Refuses a caller who may manage no token at all, before any is read. @throws Problem 403 */
export function assertMayManageSome(context: Context, caller: Caller): void {
  if (!managesOwn(caller)) requirePermission(context, caller, 'manageTokens', 'manage tokens');
}

/**
 * Returns the token if the caller may change it.
 *
 * @throws Problem 404 if the caller may not see it, 403 if the caller may see it but not manage it
 */
export function managed<Token extends Owned>(context: Context, caller: Caller, token: Token | null): Token {
  if (token === null) throw tokenUnknown();
  if (can(context, caller, 'manageTokens') || (managesOwn(caller) && owns(caller, token))) return token;
  if (!sees(context, caller, token)) throw tokenUnknown();
  throw scopeMissing(context.settings.permissions.manageTokens, 'manage tokens that are not your own');
}

/** The library, limited to a caller's rights. A caller who may open an endpoint to everyone may also grant it. */
export function actingAs(context: Context, caller: Caller, from: string | null): Library {
  return context.postern.as(caller.principal, { ...rightsOf(context, caller), from: from ?? undefined });
}

/** What a caller may do on the library beyond what everyone may. */
export function rightsOf(
  context: Context,
  caller: Caller,
): { endpoints: EndpointRights; ownership: Ownership | undefined } {
  const endpoints = can(context, caller, 'manageEndpoints')
    ? 'grantable'
    : can(context, caller, 'readEndpoints')
      ? 'seen'
      : 'held';
  const ownership = can(context, caller, 'manageTokens') ? 'organization' : undefined;
  return { endpoints, ownership };
}

/** The most that a caller may grant. */
export function grantable(context: Context, caller: Caller): Grants {
  const { catalog } = context.ground.settings;
  return can(context, caller, 'manageEndpoints') ? withAllEndpoints(caller.grants, catalog) : caller.grants;
}
