import { ownCopy } from '../base/check.js';
import { PosternError } from '../domain/errors.js';
import { excessOf, type Grants, namesEndpoint } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { Authority, Issuance } from './authority.js';
import { endedSince, type Leavers, type Standing } from './leavers.js';

/** The current state of the caller in the store. */
export interface ActorStanding {
  /** Its own token has ended, or its owner's tokens are being ended. */
  readonly ended: boolean;
  /** Identifies the last time that its owner's tokens were ended. Another value means that they were ended meanwhile. */
  readonly lastEnded: string | null;
  /** Whether its own token has a rate limit or a quota. */
  readonly limited: boolean;
}

/** The right of whoever can't end. */
const STANDS: Issuance = { assertStands: async () => {} };

export function applicationAuthority(defaultOrganization: string, leavers: Leavers): Authority {
  return {
    actor: { kind: 'application' },
    from: null,
    organization: (named) => named ?? defaultOrganization,
    sees: () => true,
    owner: (named) => named ?? null,
    ownership: (named) => named ?? 'personal',
    assertMayChange() {},
    issuance: async () => STANDS,
    async making(made) {
      const look = leavers.watching(
        made.map((token) => {
          const { organization = defaultOrganization, owner = null, ownership = 'personal' } = ownCopy(token);
          // Only personal tokens end with their owner.
          return ownership === 'personal' && owner !== null ? { organization, owner } : null;
        }),
      );
      const before = await look();
      const endedAgain = ({ last, ending }: Standing, index: number) =>
        ending || endedSince((before[index] as Standing).last, last);
      return {
        refusals: before.map(({ ending }) => (ending ? ownerEnded() : null)),
        refusalsNow: async () => (await look()).map((now, index) => (endedAgain(now, index) ? ownerEnded() : null)),
      };
    },
    assertMaySpeakFor() {},
    assertHolds: async () => {},
    findEndpoint: (_, find) => find(),
    assertMayAskAbout: async () => {},
    end: (asked) => asked ?? null,
    assertOutlives() {},
  };
}

export interface Acting {
  /** `''`: a person without a token. */
  readonly tokenId: string;
  readonly organization: string;
  readonly owner: string | null;
  readonly from: string | null;
  /** The ownership of its own token. A person's is `personal`. */
  readonly ownership: Ownership;
  /** The ownerships of tokens that it may make. */
  readonly makes: readonly Ownership[];
  /** Epoch milliseconds; `Infinity`: never. */
  readonly endsAt: number;
  /** As `PrincipalFields.mayIssue`: milliseconds; `Infinity`: as long as itself; 0: it may not make anything. */
  readonly mayIssue: number;
  grants(): Promise<Grants>;
  /** Whether it may see every endpoint of its organization. */
  readonly seesEndpoints: boolean;
  standing(): Promise<ActorStanding>;
}

export function principalAuthority(acting: Acting, catalog: Catalog): Authority {
  /** The latest end of a token that it makes. */
  const latestEnd = (now: number): number =>
    acting.mayIssue === Number.POSITIVE_INFINITY ? acting.endsAt : now + acting.mayIssue;

  function assertMayChange(): void {
    if (acting.mayIssue > 0) return;
    throw new PosternError(
      'issuance_forbidden',
      'this credential may not make or change anything: use the API token that it comes from, or the new secret',
    );
  }

  async function issuance(id?: unknown): Promise<Issuance> {
    assertMayChange();
    const before = await acting.standing();
    if (before.ended) throw hasEnded();
    if (before.limited && id !== acting.tokenId) {
      throw new PosternError(
        'limits_forbidden',
        "this caller's token has limits, and a new token would avoid them: use a token without limits",
        { path: 'limits' },
      );
    }
    return {
      async assertStands() {
        const now = await acting.standing();
        if (now.ended || endedSince(before.lastEnded, now.lastEnded)) throw hasEnded();
      },
    };
  }

  return {
    actor: { kind: 'principal', tokenId: acting.tokenId, owner: acting.owner },
    from: acting.from,
    organization(named) {
      if (named === undefined || named === acting.organization) return acting.organization;
      throw new PosternError(
        'organization_forbidden',
        'this caller may only act in its own organization: leave it out',
        {
          path: 'organization',
        },
      );
    },
    sees: (organization) => organization === acting.organization,
    owner(named) {
      if (named === undefined || named === acting.owner) return acting.owner;
      throw new PosternError('owner_forbidden', 'this caller may only make tokens for itself: leave it out', {
        path: 'owner',
      });
    },
    ownership(named = acting.makes[0] ?? 'personal') {
      if (acting.makes.includes(named)) return named;
      throw new PosternError('owner_forbidden', `this caller may only make ${acting.makes.join(' and ')} tokens`, {
        path: 'ownership',
      });
    },
    assertMayChange,
    issuance,
    async making() {
      const { assertStands } = await issuance();
      return {
        refusals: [],
        async refusalsNow() {
          await assertStands();
          return [];
        },
      };
    },
    assertMaySpeakFor({ id, owner, ownership }) {
      if (id === acting.tokenId) return;
      const personal = ownership === 'personal';
      // An organization's token acts for the organization, not for the person who made it.
      if (personal && acting.ownership === 'personal' && owner === acting.owner) return;
      // A token without an owner does not end with anyone, like one of the organization.
      const shared = !personal || owner === null;
      if (shared && acting.makes.includes('organization')) return;
      const problem = shared
        ? "this token is not this caller's own, and its new secret would outlive the caller: let someone rotate it who may make such tokens"
        : "this is someone else's personal token, and its new secret could act as them: let its owner rotate it, or revoke it";
      throw new PosternError('owner_forbidden', problem, { path: 'id' });
    },
    async assertHolds(grants) {
      const excess = excessOf(grants, await acting.grants(), catalog);
      if (excess === null) return;
      if (excess.kind === 'endpoint') throw notGranted(excess.name);
      throw new PosternError(
        'scope_missing',
        `this caller does not hold ${excess.name}, and can not grant it: ask for less, or use a token that holds it`,
        { path: 'types' },
      );
    },
    async findEndpoint(name, find) {
      if (acting.seesEndpoints) return find();
      const held = await acting.grants();
      const found = namesEndpoint(held, name) ? await find() : null;
      // A caller with all protected endpoints doesn't hold private ones: they look as if they did not exist.
      if (found === null || (held.allEndpoints && found.access === 'private')) throw notGranted(name);
      return found;
    },
    async assertMayAskAbout(endpoint) {
      if (acting.seesEndpoints) return;
      const { endpoints } = (await acting.grants()).effective;
      if (endpoints === '*' || !endpoints.includes(endpoint)) throw notGranted(endpoint);
    },
    end(asked, now) {
      const latest = latestEnd(now);
      if (asked === undefined) return Number.isFinite(latest) ? latest : null;
      assertWithin(asked, latest);
      return asked;
    },
    assertOutlives(end, now) {
      assertWithin(end, latestEnd(now));
    },
  };
}

function ownerEnded(): PosternError {
  return new PosternError(
    'conflict',
    "this owner's tokens are being ended, or were while this one was made: make it again if they stay",
    { path: 'owner' },
  );
}

function hasEnded(): PosternError {
  return new PosternError('issuance_forbidden', 'this caller has ended, so it may not make anything: sign in again');
}

function notGranted(endpoint: string): PosternError {
  const what = endpoint === '*' ? 'every endpoint' : `endpoint "${endpoint}"`;
  return new PosternError(
    'endpoint_not_granted',
    `this caller does not reach ${what}, and can not grant it: ask for less, or use a token that reaches it`,
    { path: 'types' },
  );
}

/** No token outlives its maker. */
function assertWithin(end: number | null, latest: number): void {
  if ((end ?? Number.POSITIVE_INFINITY) <= latest) return;
  const until = new Date(latest).toISOString();
  throw new PosternError(
    'expiry_beyond',
    `is later than ${until}, the latest end of tokens that this caller may make`,
    {
      path: 'expiresAt',
    },
  );
}
