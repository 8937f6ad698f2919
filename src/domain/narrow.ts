import { compileGrants, covers, type EndpointGrant, type Grants, isEndpointGrant, type StoredGrant } from './grants.js';
import type { Catalog } from './token-types.js';

/**
 * The part of its grants that a holder asks for: scopes (wildcards too) and endpoints by name. `null` asks for none of that
 * kind; if both are `null`, everything is asked for.
 */
export interface Narrowing {
  readonly scopes: readonly string[] | null;
  readonly endpoints: '*' | readonly string[] | null;
}

/** The held grants that are asked for. A request for more grants nothing more. */
export function narrowGrants(held: Grants, { scopes, endpoints }: Narrowing, catalog: Catalog): Grants {
  if (scopes === null && endpoints === null) return held;
  return narrowed(held, catalog, (type, grant) => {
    if (!isEndpointGrant(grant)) return { scopes: heldOf(held, type, scopes ?? [], catalog) };
    return { endpoints: endpoints === '*' ? grant.endpoints : namedOf(grant.endpoints, endpoints ?? []) };
  });
}

/** The grants that two sets have in common, type by type. */
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
    // If one side has a uid and the other only a name, the uid is kept.
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

/** The scopes that are both asked for and held. A wildcard that is held in part gives that part. */
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
