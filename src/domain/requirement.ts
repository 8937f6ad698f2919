import { PosternError } from './errors.js';
import { didYouMean } from './nearest.js';
import { quote } from './text.js';
import type { Catalog, ScopeOf, TokenTypes } from './token-types.js';

/**
 * The caller's own organization, in a requirement. A registered symbol: two copies of this package mean the same by it.
 *
 * @example
 * guard(postern, { endpoint: 'summarizer', organization: own })
 */
export const own: unique symbol = Symbol.for('postern.own') as never;

/** Whose endpoint or resources: an organization's name, or {@link own}. */
export type RequiredOrganization = string | typeof own;

/** What a call needs. Exactly one of the four forms; anything else is refused. */
export type Requirement<T extends TokenTypes = TokenTypes> =
  | EndpointRequirement
  | ScopeRequirement<ScopeOf<T>>
  | AuthenticatedRequirement
  | PublicRequirement;

/** Keys that a form may not have: without this, the compiler takes an object of two forms at once. */
type Without<Key extends string> = { readonly [K in Key]?: never };

/** The call is to this endpoint, whose access decides. */
export interface EndpointRequirement extends Without<'scope' | 'authenticated' | 'public'> {
  /** The endpoint's id. What is no id (a name from a URL may be anything) is an unknown endpoint. */
  readonly endpoint: string;
  /**
   * Whose endpoint. Left out: the instance's organization. {@link own}: the caller's, who therefore needs a credential whatever the
   * endpoint's access is. A name that no organization can have has no endpoints.
   */
  readonly organization?: RequiredOrganization;
}

/** The call needs a token that holds these scopes. */
export interface ScopeRequirement<Scope extends string = string>
  extends Without<'endpoint' | 'authenticated' | 'public'> {
  /** One scope, or a list of which all are needed. */
  readonly scope: Scope | readonly Scope[];
  /**
   * Whose resources. Left out, and as {@link own}, it means the caller's own organization: an application that names tenants in its routes
   * must name the organization here, or a token of one tenant passes on another's route.
   */
  readonly organization?: RequiredOrganization;
}

/** Any valid credential. */
export interface AuthenticatedRequirement extends Without<'endpoint' | 'scope' | 'public' | 'organization'> {
  readonly authenticated: true;
}

/** Anyone; no credential is looked at. */
export interface PublicRequirement extends Without<'endpoint' | 'scope' | 'authenticated' | 'organization'> {
  readonly public: true;
}

export type CompiledRequirement =
  /** `organization` is `null` for the caller's own. */
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly organization: string | null }
  | { readonly kind: 'scope'; readonly scopes: readonly string[]; readonly organization: string | null }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'public' };

const KEYS = ['endpoint', 'scope', 'organization', 'authenticated', 'public'];
const PUBLIC: CompiledRequirement = Object.freeze({ kind: 'public' });
const AUTHENTICATED: CompiledRequirement = Object.freeze({ kind: 'authenticated' });

/**
 * Reads a requirement, by its own properties only: a key inherited from a polluted `Object.prototype` is none. An unknown
 * key is refused, because a misspelt `organization` would otherwise widen the requirement in silence.
 *
 * @throws PosternError `requirement_invalid`, `scope_unknown`
 */
export function compileRequirement(
  requirement: unknown,
  catalog: Catalog,
  defaultOrganization: string,
): CompiledRequirement {
  if (typeof requirement !== 'object' || requirement === null) {
    throw invalid(`give an object, not ${quote(requirement)}`);
  }
  let kind: CompiledRequirement['kind'] | null = null;
  let organization: string | typeof own | null = null;
  for (const key of Reflect.ownKeys(requirement)) {
    if (key === 'organization') {
      const value = (requirement as { organization: unknown }).organization;
      // `undefined` is no "mine": a route's parameter that is missing must not widen what the route needs.
      if (typeof value !== 'string' && value !== own) {
        throw invalid(`organization is ${quote(value)}: name one, leave it out, or use own`);
      }
      organization = value;
    } else if (key === 'endpoint' || key === 'scope' || key === 'authenticated' || key === 'public') {
      if (kind !== null) throw invalid(`names both ${kind} and ${key}: give one of them`);
      kind = key;
    } else throw invalid(`has an unknown key ${quote(key)}${didYouMean(String(key), KEYS)}`);
  }
  // What another object lends (a class its getters) is no own property, and left out would widen the requirement in silence.
  const prototype: object | null = Object.getPrototypeOf(requirement);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw invalid('is no plain object');
  const value = kind === null ? undefined : (requirement as Record<string, unknown>)[kind];
  switch (kind) {
    case 'endpoint':
      if (typeof value !== 'string') throw invalid(`endpoint is ${quote(value)}: give the id of an endpoint`);
      return {
        kind,
        endpoint: value,
        organization: organization === own ? null : (organization ?? defaultOrganization),
      };
    case 'scope':
      return { kind, scopes: readScopes(value, catalog), organization: organization === own ? null : organization };
    case 'authenticated':
    case 'public':
      if (value !== true) throw invalid(`${kind} is ${quote(value)}: the only value is true`);
      if (organization !== null) throw invalid(`${kind} takes no organization`);
      return kind === 'public' ? PUBLIC : AUTHENTICATED;
    case null:
      throw invalid('names none of endpoint, scope, authenticated and public');
  }
}

function readScopes(value: unknown, catalog: Catalog): readonly string[] {
  const scopes: readonly unknown[] = Array.isArray(value) ? [...value] : [value];
  // "All of none" would be true for everyone.
  if (scopes.length === 0) throw invalid('scope is an empty list: name at least one scope');
  for (const scope of scopes) {
    if (typeof scope !== 'string' || !catalog.scopes.has(scope)) throw unknownScope(scope, catalog, 'scope');
  }
  return scopes as string[];
}

/** The error for a scope that no token type knows, with those that there are. */
export function unknownScope(scope: unknown, catalog: Catalog, path: string): PosternError {
  const known = [...catalog.scopes];
  const listed = known.slice(0, 12).join(', ') + (known.length > 12 ? ', …' : '');
  const advice =
    typeof scope === 'string' && scope.includes('*') && path === 'scope'
      ? 'a requirement names single scopes; a wildcard is for grants'
      : known.length === 0
        ? 'no token type has scopes'
        : `use one of ${listed}`;
  return new PosternError('scope_unknown', `${quote(scope)} is no scope here: ${advice}`, { path });
}

function invalid(problem: string): PosternError {
  return new PosternError('requirement_invalid', problem, { input: 'requirement' });
}
