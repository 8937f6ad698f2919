import { type Grants, isEndpointGrant } from '../domain/grants.js';
import type { DeadGrant } from '../domain/token-record.js';
import type { StoredEndpoint } from '../ports/records.js';
import type { Store } from '../ports/store.js';
import { inTurn } from './turns.js';

/** The most names in one read. */
const BATCH = 1_000;

/** Grants in an organization. */
export interface GrantedIn {
  readonly organization: string;
  readonly grants: Grants;
}

/** For each item, the grants whose endpoint was deleted. They reach nothing: a new endpoint of the same name is another one. */
export async function findDeadGrants(
  store: Store,
  asked: readonly GrantedIn[],
): Promise<readonly (readonly DeadGrant[])[]> {
  // Many tokens share one object of grants. It is looked at once.
  const distinct = new Map<string, Set<Grants>>();
  for (const { organization, grants } of asked) {
    distinct.set(organization, (distinct.get(organization) ?? new Set()).add(grants));
  }
  const living = new Set<string>();
  for (const [organization, all] of distinct) {
    const ids = new Set<string>();
    await inTurn([...all], (grants) => {
      for (const { id } of boundGrants(grants)) ids.add(id);
    });
    for (const { uid } of await findEndpoints(store, organization, [...ids])) living.add(uid);
  }
  const known = new Map<Grants, readonly DeadGrant[]>();
  return inTurn(asked, ({ grants }) => {
    const dead = known.get(grants) ?? deadOf(grants, living);
    known.set(grants, dead);
    return dead;
  });
}

/** The organization's endpoints with these names. */
export async function findEndpoints(
  store: Store,
  organization: string,
  ids: readonly string[],
): Promise<readonly StoredEndpoint[]> {
  const found: StoredEndpoint[] = [];
  for (let start = 0; start < ids.length; start += BATCH) {
    found.push(...(await store.findEndpoints(organization, ids.slice(start, start + BATCH))));
  }
  return found;
}

function deadOf(grants: Grants, living: ReadonlySet<string>): readonly DeadGrant[] {
  return boundGrants(grants)
    .filter(({ uid }) => !living.has(uid))
    .map(({ type, id }) => ({ type, endpoint: id }));
}

/** The grants that name an endpoint by its uid. A grant by name alone can't be dead. */
function boundGrants({ stored }: Grants): { readonly type: string; readonly id: string; readonly uid: string }[] {
  return Object.entries(stored).flatMap(([type, grant]) => {
    if (!isEndpointGrant(grant) || grant.endpoints === '*') return [];
    return grant.endpoints.flatMap(({ id, uid }) => (uid === null ? [] : [{ type, id, uid }]));
  });
}
