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

/** The library in a caller's hands. */
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
 * Whether a caller manages its own personal tokens without a scope for it: a person of the application does. A token does
 * not, in a header or in a cookie: it could make others that outlive it.
 */
export function managesOwn(caller: Caller): caller is PersonCaller {
  return caller.kind === 'person';
}

/** Whose personal tokens they are. Who has no name owns none. */
export function owns({ principal: { owner } }: Caller, token: Owned): boolean {
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

/** The library in a caller's hands. Who may open an endpoint to everyone may grant any of them. */
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

/** What a caller may grant. */
export function grantable(context: Context, caller: Caller): Grants {
  const { catalog } = context.ground.settings;
  return can(context, caller, 'manageEndpoints') ? withAllEndpoints(caller.grants, catalog) : caller.grants;
}
