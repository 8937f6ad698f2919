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
  const names = new Map<string, Set<string>>();
  await inTurn(asked, ({ organization, grants }) => {
    const ids = names.get(organization) ?? new Set();
    for (const { id } of boundGrants(grants)) ids.add(id);
    if (ids.size > 0) names.set(organization, ids);
  });
  const living = new Set<string>();
  for (const [organization, ids] of names) {
    for (const { uid } of await findEndpoints(store, organization, [...ids])) living.add(uid);
  }
  return inTurn(asked, ({ grants }) =>
    boundGrants(grants)
      .filter(({ uid }) => !living.has(uid))
      .map(({ type, id }) => ({ type, endpoint: id })),
  );
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

/** The grants that name an endpoint by its uid. A grant by name alone can't be dead. */
function boundGrants({ stored }: Grants): { readonly type: string; readonly id: string; readonly uid: string }[] {
  return Object.entries(stored).flatMap(([type, grant]) => {
    if (!isEndpointGrant(grant) || grant.endpoints === '*') return [];
    return grant.endpoints.flatMap(({ id, uid }) => (uid === null ? [] : [{ type, id, uid }]));
  });
}
