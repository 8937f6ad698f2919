import type { Catalog, GrantsOf, TokenTypes } from './token-types.js';

/**
 * A grant of one endpoint: its name for people, its uid for decisions. `uid: null` is whatever endpoint has the name: only
 * in what is granted for a short while, by who can't know a uid (an identity provider, the offline maker of a derived token).
 */
export interface EndpointGrant {
  readonly id: string;
  readonly uid: string | null;
}

/** One type's grant as a store keeps it. */
export type StoredGrant =
  | { readonly scopes: readonly string[] }
  | { readonly endpoints: '*' | readonly EndpointGrant[] };

/** Token type → its grant. */
export type StoredGrants = Readonly<Record<string, StoredGrant>>;

/** What a token may do, made ready to be asked. One object serves all tokens that are granted the same. */
export interface Grants {
  /** As the record shows them. */
  readonly types: GrantsOf<TokenTypes>;
  /** Scopes held, with all that they include. */
  readonly scopes: ReadonlySet<string>;
  /** Reaches every protected endpoint of the organization. */
  readonly allEndpoints: boolean;
  /** uids of the endpoints reached. */
  readonly endpoints: ReadonlySet<string>;
  /** Names of the endpoints reached whatever their uid is. */
  readonly endpointNames: ReadonlySet<string>;
  /** What a principal shows of them. */
  readonly effective: EffectiveGrants;
  /** What this was compiled from. */
  readonly stored: StoredGrants;
}

/** What grants come to: every scope held, with those included; the endpoints named, or `'*'`. */
export interface EffectiveGrants {
  readonly scopes: readonly string[];
  readonly endpoints: '*' | readonly string[];
}

/**
 * Reads grants against a catalog. A type or scope that the catalog doesn't know grants nothing and the rest stands
 * (a record may be of a later version); a structure that is no grant at all is an error.
 *
 * @param options.named whether an endpoint may be granted by its name alone. Default: a grant without a uid is unreadable
 * @throws TypeError where the structure can't be read
 */
export function compileGrants(stored: unknown, catalog: Catalog, { named = false } = {}): Grants {
  if (typeof stored !== 'object' || stored === null || Array.isArray(stored)) throw unreadable();
  const types: { -readonly [Name in keyof GrantsOf<TokenTypes>]: GrantsOf<TokenTypes>[Name] } = {};
  const scopes = new Set<string>();
  const endpoints = new Set<string>();
  const endpointNames = new Set<string>();
  const endpointIds = new Set<string>();
  let allEndpoints = false;
  for (const [name, grant] of Object.entries(stored)) {
    const type = catalog.types.get(name);
    if (typeof grant !== 'object' || grant === null) throw unreadable();
    if (Object.hasOwn(grant, 'endpoints')) {
      const reached = readEndpoints(grant.endpoints, named);
      if (name !== '__proto__')
        types[name] = Object.freeze({ endpoints: reached === '*' ? reached : freezeIds(reached) });
      if (type?.form !== 'endpoint_access') continue;
      if (reached === '*') allEndpoints = true;
      else {
        for (const { id, uid } of reached) {
          if (uid === null) endpointNames.add(id);
          else endpoints.add(uid);
          endpointIds.add(id);
        }
      }
    } else if (Object.hasOwn(grant, 'scopes')) {
      const held = readScopes(grant.scopes);
      if (name !== '__proto__')
        types[name] = Object.freeze({ scopes: Object.freeze([...held]) as readonly `${string}:${string}`[] });
      if (type?.form !== 'scope_access') continue;
      for (const scope of held) for (const each of type.expansions.get(scope) ?? []) scopes.add(each);
    } else throw unreadable();
  }
  if (Object.keys(types).length === 0) throw unreadable();
  return Object.freeze({
    types: Object.freeze(types),
    scopes,
    allEndpoints,
    endpoints,
    endpointNames,
    effective: Object.freeze({
      scopes: Object.freeze([...scopes]),
      endpoints: allEndpoints ? '*' : Object.freeze([...endpointIds]),
    }),
    stored: stored as StoredGrants,
  });
}

/** Whether grants reach an endpoint of their organization. */
export function reaches(grants: Grants, endpoint: EndpointGrant): boolean {
  if (grants.allEndpoints || grants.endpointNames.has(endpoint.id)) return true;
  return endpoint.uid !== null && grants.endpoints.has(endpoint.uid);
}

/** What one set of grants has beyond another: `null` where it is within it. */
export interface Excess {
  readonly kind: 'scope' | 'endpoint';
  /** The scope, or the endpoint's id; `'*'` for all of them. */
  readonly name: string;
}

/**
 * The first thing that `wanted` has and `held` doesn't, or `null` where `wanted` is within `held`. Wildcards are compared
 * as wildcards: `models:*` is more than the list of today's actions, because it takes in tomorrow's.
 */
export function excessOf(wanted: StoredGrants, held: Grants, catalog: Catalog): Excess | null {
  for (const [name, grant] of Object.entries(wanted)) {
    if (isEndpointGrant(grant)) {
      if (held.allEndpoints) continue;
      if (grant.endpoints === '*') return { kind: 'endpoint', name: '*' };
      const beyond = grant.endpoints.find((endpoint) => !reaches(held, endpoint));
      if (beyond) return { kind: 'endpoint', name: beyond.id };
    } else {
      const beyond = grant.scopes.find((scope) => !covers(held, name, scope, catalog));
      if (beyond !== undefined) return { kind: 'scope', name: beyond };
    }
  }
  return null;
}

/** Whether an endpoint of this name may be among those that are held, whichever has the name now. */
export function namesEndpoint({ effective }: Grants, id: string): boolean {
  return effective.endpoints === '*' || effective.endpoints.includes(id);
}

/** The same grants, and beside them every protected endpoint by each type that reaches endpoints. */
export function withAllEndpoints({ stored }: Grants, catalog: Catalog): Grants {
  const all = [...catalog.types].filter(([, { form }]) => form === 'endpoint_access');
  const added = all.map(([name]) => [name, { endpoints: '*' }] as const);
  return compileGrants({ ...stored, ...Object.fromEntries(added) }, catalog, { named: true });
}

/** Whether a grant of a type is within what is held. */
export function covers(held: Grants, type: string, scope: string, catalog: Catalog): boolean {
  const known = catalog.types.get(type);
  const expansion = known?.form === 'scope_access' ? known.expansions.get(scope) : undefined;
  // All that it includes: the same scope may include more in this type than in the one that it is held by.
  if (expansion && !scope.endsWith('*') && expansion.every((each) => held.scopes.has(each))) return true;
  const own = Object.hasOwn(held.stored, type) ? held.stored[type] : undefined;
  if (!own || isEndpointGrant(own)) return false;
  // A wildcard covers what is of its resource; what this version doesn't know as a scope is covered by its own name only.
  if (own.scopes.includes(scope)) return true;
  return own.scopes.includes('*') && scope.endsWith(':*');
}

/** By own property only: a polluted `Object.prototype` must not change what a grant is. */
export function isEndpointGrant(grant: StoredGrant): grant is Extract<StoredGrant, { endpoints: unknown }> {
  return Object.hasOwn(grant, 'endpoints');
}

function readEndpoints(value: unknown, named: boolean): '*' | readonly EndpointGrant[] {
  if (value === '*') return '*';
  if (!Array.isArray(value)) throw unreadable();
  for (const each of value) {
    if (typeof each?.id !== 'string') throw unreadable();
    const bound = typeof each.uid === 'string' && each.uid !== '';
    if (!bound && !(named && each.uid === null)) throw unreadable();
  }
  return value;
}

function readScopes(value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((each) => typeof each === 'string')) throw unreadable();
  return value;
}

function freezeIds(grants: readonly EndpointGrant[]): readonly string[] {
  return Object.freeze(grants.map(({ id }) => id));
}

function unreadable(): TypeError {
  return new TypeError('the grants of this record can not be read');
}
