import { compileGrants, covers, type EndpointGrant, type Grants, isEndpointGrant, type StoredGrant } from './grants.js';
import type { Catalog } from './token-types.js';

/**
 * What a holder asks for of what is held: scopes (wildcards too) and endpoints by their names. One that is `null` is not
 * asked for at all, unless both are: then it is everything.
 */
export interface Narrowing {
  readonly scopes: readonly string[] | null;
  readonly endpoints: '*' | readonly string[] | null;
}

/** The part of what is held that is asked for. What is asked for beyond it is passed over: it grants nothing. */
export function narrowGrants(held: Grants, { scopes, endpoints }: Narrowing, catalog: Catalog): Grants {
  if (scopes === null && endpoints === null) return held;
  return narrowed(held, catalog, (type, grant) => {
    if (!isEndpointGrant(grant)) return { scopes: heldOf(held, type, scopes ?? [], catalog) };
    return { endpoints: endpoints === '*' ? grant.endpoints : namedOf(grant.endpoints, endpoints ?? []) };
  });
}

/** What two sets of grants have in common, type by type. */
export function intersectGrants(held: Grants, wanted: Grants, catalog: Catalog): Grants {
  return narrowed(held, catalog, (type, grant) => {
    const other = Object.hasOwn(wanted.stored, type) ? (wanted.stored[type] as StoredGrant) : null;
    if (!isEndpointGrant(grant)) {
      const scopes = other === null || isEndpointGrant(other) ? [] : other.scopes;
      return { scopes: heldOf(held, type, scopes, catalog) };
    }
    if (other === null || !isEndpointGrant(other)) return { endpoints: [] };
    if (other.endpoints === '*') return { endpoints: grant.endpoints };
    if (grant.endpoints === '*') return { endpoints: other.endpoints };
    const named = other.endpoints;
    // Where one side binds an endpoint and the other one names it, it stays bound.
    return {
      endpoints: grant.endpoints.flatMap((own) => {
        const each = named.find((their) => isSame(own, their));
        return each === undefined ? [] : [own.uid === null ? each : own];
      }),
    };
  });
}

function narrowed(held: Grants, catalog: Catalog, narrow: (type: string, grant: StoredGrant) => StoredGrant): Grants {
  const types = Object.entries(held.stored).map(([type, grant]) => [type, narrow(type, grant)]);
  return compileGrants(Object.fromEntries(types), catalog, { named: true });
}

/** Of the scopes that are asked for, those held; of a wildcard that is held in part, that part. */
function heldOf(held: Grants, type: string, scopes: readonly string[], catalog: Catalog): readonly string[] {
  const known = catalog.types.get(type);
  if (known?.form !== 'scope_access') return [];
  const own = held.stored[type] as StoredGrant;
  const granted = isEndpointGrant(own) ? [] : own.scopes;
  const reached = new Set(granted.flatMap((scope) => known.expansions.get(scope) ?? []));
  const kept = scopes.flatMap((scope) => {
    const expansion = known.expansions.get(scope) ?? [];
    const whole = expansion.every((each) => reached.has(each));
    if (whole && covers(held, type, scope, catalog)) return [scope];
    return expansion.filter((each) => reached.has(each));
  });
  return [...new Set(kept)];
}

function namedOf(held: '*' | readonly EndpointGrant[], names: readonly string[]): readonly EndpointGrant[] {
  return held === '*' ? names.map((id) => ({ id, uid: null })) : held.filter(({ id }) => names.includes(id));
}

function isSame(a: EndpointGrant, b: EndpointGrant): boolean {
  return a.uid === null || b.uid === null ? a.id === b.id : a.uid === b.uid;
}
