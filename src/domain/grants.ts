import type { Catalog, GrantsOf, TokenTypes } from './token-types.js';

/**
 * A grant of one endpoint: its name for people, its uid for decisions. `uid: null` means any endpoint of this name. Only
 * short-lived grants may have it: their makers (an identity provider, an offline holder of a token) can't know a uid.
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

/** A token's grants, compiled for fast checks. Tokens with the same grants share one object. */
export interface Grants {
  /** The grants as the record shows them. */
  readonly types: GrantsOf<TokenTypes>;
  /** Scopes held, with every scope that they include. */
  readonly scopes: ReadonlySet<string>;
  /** Reaches every protected endpoint of the organization. */
  readonly allEndpoints: boolean;
  /** uids of the endpoints reached. */
  readonly endpoints: ReadonlySet<string>;
  /** Names of the endpoints reached under any uid. */
  readonly endpointNames: ReadonlySet<string>;
  /** The grants as a principal shows them. */
  readonly effective: EffectiveGrants;
  /** The source of this object. */
  readonly stored: StoredGrants;
}

/** The effect of grants: every scope held, with the scopes included; the endpoints named, or `'*'`. */
export interface EffectiveGrants {
  readonly scopes: readonly string[];
  readonly endpoints: '*' | readonly string[];
}

/**
 * Compiles grants against a catalog. An unknown type or scope grants nothing, and the rest counts (a later version may have
 * written the record). A structure that is not a grant is an error.
 *
 * @param options.named whether an endpoint may be granted by its name alone. Default `false`: a grant without a uid is unreadable
 * @throws TypeError if the structure can't be read
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

/** A grant that one set has and another lacks. */
export interface Excess {
  readonly kind: 'scope' | 'endpoint';
  /** The scope, or the endpoint's id; `'*'` for all endpoints. */
  readonly name: string;
}

/**
 * The first grant that `wanted` has and `held` lacks, or `null` if `held` covers all of `wanted`. Wildcards are compared as
 * wildcards: `models:*` is more than the list of today's actions, because it includes future ones.
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

/** Whether the grants name this endpoint, or all. The endpoint that has the name now may be another one. */
export function namesEndpoint({ effective }: Grants, id: string): boolean {
  return effective.endpoints === '*' || effective.endpoints.includes(id);
}

/** The same grants, and in addition every protected endpoint by each type that reaches endpoints. */
export function withAllEndpoints({ stored }: Grants, catalog: Catalog): Grants {
  const all = [...catalog.types].filter(([, { form }]) => form === 'endpoint_access');
  const added = all.map(([name]) => [name, { endpoints: '*' }] as const);
  return compileGrants({ ...stored, ...Object.fromEntries(added) }, catalog, { named: true });
}

/** Whether the held grants include this scope of this type. */
export function covers(held: Grants, type: string, scope: string, catalog: Catalog): boolean {
  const known = catalog.types.get(type);
  const expansion = known?.form === 'scope_access' ? known.expansions.get(scope) : undefined;
  // Each included scope is checked: the same scope may include more in this type than in the type that grants it.
  if (expansion && !scope.endsWith('*') && expansion.every((each) => held.scopes.has(each))) return true;
  const own = Object.hasOwn(held.stored, type) ? held.stored[type] : undefined;
  if (!own || isEndpointGrant(own)) return false;
  // A wildcard covers its own resource. A scope that this version doesn't know is covered by its own name only.
  if (own.scopes.includes(scope)) return true;
  return own.scopes.includes('*') && scope.endsWith(':*');
}

/** Own properties only: a polluted `Object.prototype` must not change a grant. */
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
