import { ownCopy } from '../base/check.js';
import type { Access } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { excessOf, type Grants, namesEndpoint, type StoredGrants } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { Actor } from '../ports/changes.js';
import { endedSince, type Leavers, type Standing } from './leavers.js';

/**
 * The rights of the caller of management. The application may do everything. A principal is limited to its organization, its
 * owner, its grants and its end. All rules about rights are here, and every method of tokens and endpoints asks them.
 */
export interface Authority {
  readonly actor: Actor;
  /** The caller's address, for the audit log. */
  readonly from: string | null;
  /** The organization to act in: the named one, if it is allowed, or the default. @throws PosternError `organization_forbidden` */
  organization(named: string | undefined): string;
  /** Whether this caller may see and change things of this organization. Others are treated as if they did not exist. */
  sees(organization: string): boolean;
  /** The owner of a new token. @throws PosternError `owner_forbidden` */
  owner(named: string | null | undefined): string | null;
  /** The ownership of a new token. @throws PosternError `owner_forbidden` */
  ownership(named: Ownership | undefined): Ownership;
  /** Refuses a caller that may not make or change anything. @throws PosternError `issuance_forbidden` */
  assertMayChange(): void;
  /**
   * Refuses a caller that may not make tokens, that has ended, or whose own limits a new token would avoid.
   *
   * @param id of the token that is changed. A caller with limits may change its own token, because that keeps its limits
   * @throws PosternError `issuance_forbidden`, `limits_forbidden`
   */
  issuance(id?: unknown): Promise<Issuance>;
  /**
   * The same for tokens that will be made. The application is refused a personal token for an owner whose tokens are being ended.
   *
   * @throws PosternError as {@link issuance}
   */
  making(made: readonly Made[]): Promise<Making>;
  /**
   * Refuses to give out the secret of a token that the caller could not make: its holder could act as the owner, or keep it
   * after the caller's own tokens are ended.
   *
   * @throws PosternError `owner_forbidden`
   */
  assertMaySpeakFor(token: { readonly id: string; readonly owner: string | null; readonly ownership: Ownership }): void;
  /** Refuses grants that the caller doesn't hold. @throws PosternError `scope_missing`, `endpoint_not_granted` */
  assertHolds(grants: StoredGrants): Promise<void>;
  /**
   * The endpoint of this name, for a grant. Rights are checked before existence. A caller that may not see endpoints gets the
   * same error for an endpoint that doesn't exist, is private or is not held.
   *
   * @returns `null`: there is no such endpoint, and this caller may know that
   * @throws PosternError `endpoint_not_granted`
   */
  findEndpoint<Found extends { readonly access: Access }>(
    name: string,
    find: () => Promise<Found | null>,
  ): Promise<Found | null>;
  /** Refuses questions about an endpoint that the caller neither holds nor may see. @throws PosternError `endpoint_not_granted` */
  assertMayAskAbout(endpoint: string): Promise<void>;
  /**
   * The end of a new token: the requested end, or the latest allowed one.
   *
   * @param asked epoch milliseconds; `null`: never; `undefined`: not requested
   * @throws PosternError `expiry_beyond`
   */
  end(asked: number | null | undefined, now: number): number | null;
  /** Refuses a change that gives more to a token, if that token ends later than a new one might. @throws PosternError `expiry_beyond` */
  assertOutlives(end: number | null, now: number): void;
}

/** A token that will be made. */
interface Made {
  readonly organization?: string | undefined;
  readonly owner?: string | null | undefined;
  readonly ownership?: Ownership | undefined;
}

/** A right to give out a secret. Check it again once that is written: the caller may have ended meanwhile. */
export interface Issuance {
  /** @throws PosternError as {@link Authority.issuance} */
  assertStands(): Promise<void>;
}

/** For each token the reason why it is refused (`conflict`), if it is. */
export type Refusals = readonly (PosternError | null | undefined)[];

/** A right to make tokens. Ask for the refusals again once they are made: their maker or their owner may have ended meanwhile. */
export interface Making {
  readonly refusals: Refusals;
  /** @throws PosternError as {@link Authority.issuance} */
  refusalsNow(): Promise<Refusals>;
}

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

/**
 * The endpoints of its organization that a principal may see. `'held'`: those that it reaches. `'seen'`: all. `'grantable'`: all,
 * and it may grant them.
 */
export type EndpointRights = 'held' | 'seen' | 'grantable';

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
