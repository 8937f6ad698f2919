import { gathered } from '../base/gathered.js';
import { readGrants } from '../base/grant-input.js';
import type { Ground } from '../base/ground.js';
import { expiryOf, isRevoked } from '../base/token-reader.js';
import { compileGrants, withAllEndpoints } from '../domain/grants.js';
import { isLimited } from '../domain/limits.js';
import { type ActorStanding, applicationAuthority, principalAuthority } from '../managing/authorities.js';
import type { Authority } from '../managing/authority.js';
import { Leavers, NEVER } from '../managing/leavers.js';
import type { Acting } from './acting.js';

/**
 * The authority of who acts, with the store of a ground. A verified principal keeps the grants that it was verified with. For a
 * principal that the application made itself, they are looked up by name.
 *
 * @param acting `null`: the application itself
 */
export function authorityOf(acting: Acting | null, ground: Ground): Authority {
  const { catalog, organization } = ground.settings;
  if (acting === null) return applicationAuthority(organization, new Leavers(ground));
  const { tokenId, endpoints, makesOrganizations, ...rest } = acting;
  return principalAuthority(
    {
      ...rest,
      tokenId: tokenId ?? '',
      makes: makesOrganizations ? ['organization', 'personal'] : ['personal'],
      async grants() {
        const findEndpoint = gathered(ground.store);
        const find = (id: string) => findEndpoint(acting.organization, id);
        const held = acting.verified ?? compileGrants(await readGrants(acting.types, catalog, find), catalog);
        return endpoints === 'grantable' ? withAllEndpoints(held, catalog) : held;
      },
      seesEndpoints: endpoints !== 'held',
      standing: () => standingOf(acting, ground),
    },
    catalog,
  );
}

/** If a token of this store verified the principal, it must still be alive; otherwise the principal has ended. */
async function standingOf(acting: Acting, ground: Ground): Promise<ActorStanding> {
  const { tokenId, organization, owner, verified, mayIssue } = acting;
  const { store, time, reader } = ground;
  const token = tokenId === null ? null : await store.findToken(tokenId);
  const owned = owner === null ? NEVER : await new Leavers(ground).standing(organization, owner);
  time.read();
  const isOurs = verified !== null && tokenId !== null && mayIssue === Number.POSITIVE_INFINITY;
  const dead = token === null ? isOurs : isRevoked(token) || expiryOf(token) <= time.latest;
  return {
    ended: dead || owned.ending,
    lastEnded: owned.last,
    limited: token !== null && isLimited(reader.rules(token)),
  };
}
