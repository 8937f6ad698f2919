import { PosternError } from './errors.js';
import { didYouMean } from './nearest.js';
import { quote } from './text.js';
import type { Catalog, ScopeOf, TokenTypes } from './token-types.js';

/**
 * The caller's own organization, in a requirement. A registered symbol, so that two copies of this package share it.
 *
 * @example
 * guard(postern, { endpoint: 'summarizer', organization: own })
 */
export const own: unique symbol = Symbol.for('postern.own') as never;

/** The organization of an endpoint or of resources: its name, or {@link own}. */
export type RequiredOrganization = string | typeof own;

/** A call's requirement, in exactly one of four forms. Anything else is refused. */
export type Requirement<T extends TokenTypes = TokenTypes> =
  | EndpointRequirement
  | ScopeRequirement<ScopeOf<T>>
  | AuthenticatedRequirement
  | PublicRequirement;

/** Keys that a form may not have. Without this, the compiler accepts an object of two forms at once. */
type Without<Key extends string> = { readonly [K in Key]?: never };

/** The call is to this endpoint. The endpoint's access decides. */
export interface EndpointRequirement extends Without<'scope' | 'authenticated' | 'public'> {
  /** The endpoint's id. Text that is not a valid id (from a URL, say) is an unknown endpoint. */
  readonly endpoint: string;
  /**
   * The endpoint's organization. Default: the instance's. With {@link own} it is the caller's; the caller then always needs a
   * credential, also for a public endpoint. An invalid name has no endpoints.
   */
  readonly organization?: RequiredOrganization;
}

/** The call needs a token that holds these scopes. */
export interface ScopeRequirement<Scope extends string = string>
  extends Without<'endpoint' | 'authenticated' | 'public'> {
  /** One scope, or a list. All scopes of a list are needed. */
  readonly scope: Scope | readonly Scope[];
  /**
   * The organization of the resources. Default, and with {@link own}: the caller's own. An application with tenants in its routes
   * must name the organization here; otherwise one tenant's token passes on another tenant's route.
   */
  readonly organization?: RequiredOrganization;
}

/** Any valid credential. */
export interface AuthenticatedRequirement extends Without<'endpoint' | 'scope' | 'public' | 'organization'> {
  readonly authenticated: true;
}

/** Anyone may call. Credentials are ignored. */
export interface PublicRequirement extends Without<'endpoint' | 'scope' | 'authenticated' | 'organization'> {
  readonly public: true;
}

export type CompiledRequirement =
  /** `organization` is `null` for the caller's own. */
  | { readonly kind: 'endpoint'; readonly endpoint: string; readonly organization: string | null }
  | {
      readonly kind: 'scope';
      readonly scopes: readonly string[];
      /** The scopes as one text, in order. */
      readonly text: string;
      readonly organization: string | null;
    }
  | { readonly kind: 'authenticated' }
  | { readonly kind: 'public' };

const KEYS = ['endpoint', 'scope', 'organization', 'authenticated', 'public'];
const PUBLIC: CompiledRequirement = Object.freeze({ kind: 'public' });
const AUTHENTICATED: CompiledRequirement = Object.freeze({ kind: 'authenticated' });

/**
 * Checks and compiles a requirement. Only own properties count: keys inherited from a polluted `Object.prototype` are ignored.
 * Unknown keys are refused, because a misspelt `organization` would silently widen the requirement.
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
      // `undefined` doesn't mean "own": a missing route parameter must not widen the requirement.
      if (typeof value !== 'string' && value !== own) {
        throw invalid(`organization is ${quote(value)}: name one, leave it out, or use own`);
      }
      organization = value;
    } else if (key === 'endpoint' || key === 'scope' || key === 'authenticated' || key === 'public') {
      if (kind !== null) throw invalid(`names both ${kind} and ${key}: give one of them`);
      kind = key;
    } else throw invalid(`has an unknown key ${quote(key)}${didYouMean(String(key), KEYS)}`);
  }
  // A class's getters are not own properties. Ignoring them would silently widen the requirement.
  const prototype: object | null = Object.getPrototypeOf(requirement);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) throw invalid('must be a plain object');
  const value = kind === null ? undefined : (requirement as Record<string, unknown>)[kind];
  switch (kind) {
    case 'endpoint':
      if (typeof value !== 'string') throw invalid(`endpoint is ${quote(value)}: give the id of an endpoint`);
      return {
        kind,
        endpoint: value,
        organization: organization === own ? null : (organization ?? defaultOrganization),
      };
    case 'scope': {
      const scopes = readScopes(value, catalog);
      return { kind, scopes, text: textOf(scopes), organization: organization === own ? null : organization };
    }
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
  // An empty list would be met by everyone.
  if (scopes.length === 0) throw invalid('scope is an empty list: name at least one scope');
  for (const scope of scopes) {
    if (typeof scope !== 'string' || !catalog.scopes.has(scope)) throw unknownScope(scope, catalog, 'scope');
  }
  return scopes as string[];
}

function textOf(scopes: readonly string[]): string {
  return scopes.length === 1 ? (scopes[0] as string) : [...new Set(scopes)].sort().join(' ');
}

/** The error for a scope that no token type has. It lists the known scopes. */
export function unknownScope(scope: unknown, catalog: Catalog, path: string): PosternError {
  const known = [...catalog.scopes];
  const listed = known.slice(0, 12).join(', ') + (known.length > 12 ? ', …' : '');
  const advice =
    typeof scope === 'string' && scope.includes('*') && path === 'scope'
      ? 'a requirement names single scopes; a wildcard is for grants'
      : known.length === 0
        ? 'no token type has scopes'
        : `use one of ${listed}`;
  return new PosternError('scope_unknown', `${quote(scope)} is not a known scope: ${advice}`, { path });
}

function invalid(problem: string): PosternError {
  return new PosternError('requirement_invalid', problem, { input: 'requirement' });
}
