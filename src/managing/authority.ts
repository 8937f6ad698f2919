import type { Access } from '../domain/endpoint.js';
import { PosternError } from '../domain/errors.js';
import { excessOf, type Grants, namesEndpoint, type StoredGrants } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import type { Catalog } from '../domain/token-types.js';
import type { Actor } from '../ports/changes.js';
import { endedSince } from './leavers.js';

/**
 * In whose hands an API is: the application's own, which may do everything, or a principal's, which is held to its
 * organization, its owner, its grants and its end. Every rule of rights stands here, and every method of tokens and endpoints
 * asks for it.
 */
export interface Authority {
  readonly actor: Actor;
  /** From where it acts, for the audit log. */
  readonly from: string | null;
  /** The organization that is meant: what was named, if it may be. @throws PosternError `organization_forbidden` */
  organization(named: string | undefined): string;
  /** Whether something of this organization may be seen and changed. What may not be is as if it were not there. */
  sees(organization: string): boolean;
  /** The owner of a token to be made. @throws PosternError `owner_forbidden` */
  owner(named: string | null | undefined): string | null;
  /** Whose a token to be made is. @throws PosternError `owner_forbidden` */
  ownership(named: Ownership | undefined): Ownership;
  /** Refuses who makes and changes nothing. @throws PosternError `issuance_forbidden` */
  assertMayChange(): void;
  /**
   * Refuses who makes no tokens, who is being ended, and who has limits that it would get around.
   *
   * @param id of the token that is changed: one's own keeps its limits
   * @throws PosternError `issuance_forbidden`, `limits_forbidden`
   */
  issuance(id?: unknown): Promise<Issuance>;
  /**
   * Refuses to hand out a secret that speaks for someone else: whoever has it acts as its owner.
   *
   * @throws PosternError `owner_forbidden`
   */
  assertMaySpeakFor(token: { readonly owner: string | null; readonly ownership: Ownership }): void;
  /** Refuses grants beyond what is held. @throws PosternError `scope_missing`, `endpoint_not_granted` */
  assertHolds(grants: StoredGrants): Promise<void>;
  /**
   * The endpoint of a name, for a grant. Rights are judged before existence: to who may not see endpoints, one that is absent,
   * private or not held is one and the same.
   *
   * @returns `null`: there is none, which this caller may know
   * @throws PosternError `endpoint_not_granted`
   */
  findEndpoint<Found extends { readonly access: Access }>(
    name: string,
    find: () => Promise<Found | null>,
  ): Promise<Found | null>;
  /** Refuses questions about endpoints that are not held, to who may not see them. @throws PosternError `endpoint_not_granted` */
  assertMayAskAbout(endpoint: string): Promise<void>;
  /**
   * When a token to be made ends: as asked, or, where nothing was asked for, as late as it may.
   *
   * @param asked epoch milliseconds; `null`: never
   * @throws PosternError `expiry_beyond`
   */
  end(asked: number | null | undefined, now: number): number | null;
  /** Refuses to give more to a token that ends later than what this one makes. @throws PosternError `expiry_beyond` */
  assertOutlives(end: number | null, now: number): void;
}

/** A right to make something, to be looked at again once it is made: its maker may have ended meanwhile. */
export interface Issuance {
  /** @throws PosternError `issuance_forbidden` */
  assertStands(): Promise<void>;
}

/** What the store says now of who acts. */
export interface ActorStanding {
  /** Its own token has ended, or its owner's tokens are being ended. */
  readonly ended: boolean;
  /** Names the last time that its owner's tokens were ended. */
  readonly lastEnded: string | null;
  /** Whether its own token has a rate limit or a quota. */
  readonly limited: boolean;
}

export function applicationAuthority(defaultOrganization: string): Authority {
  return {
    actor: { kind: 'application' },
    from: null,
    organization: (named) => named ?? defaultOrganization,
    sees: () => true,
    owner: (named) => named ?? null,
    ownership: (named) => named ?? 'personal',
    assertMayChange() {},
    issuance: async () => ({ assertStands: async () => {} }),
    assertMaySpeakFor() {},
    assertHolds: async () => {},
    findEndpoint: (_, find) => find(),
    assertMayAskAbout: async () => {},
    end: (asked) => asked ?? null,
    assertOutlives() {},
  };
}

/**
 * What a principal may know of its organization's endpoints: `'held'`, those that it reaches; `'seen'`, all of them;
 * `'grantable'`, all of them, and it may grant them.
 */
export type EndpointRights = 'held' | 'seen' | 'grantable';

/** Who acts. */
export interface Acting {
  /** `''`: a person, without a token. */
  readonly tokenId: string;
  readonly organization: string;
  readonly owner: string | null;
  readonly from: string | null;
  /** Of its own token; a person's is `personal`. */
  readonly ownership: Ownership;
  /** Whose tokens it may make. */
  readonly makes: readonly Ownership[];
  /** Epoch milliseconds; `Infinity`: never. */
  readonly endsAt: number;
  /** As of a principal: milliseconds, `Infinity` for as long as itself, 0 for nothing. */
  readonly mayIssue: number;
  grants(): Promise<Grants>;
  /** Whether it may know of every endpoint of its organization. */
  readonly seesEndpoints: boolean;
  standing(): Promise<ActorStanding>;
}

export function principalAuthority(acting: Acting, catalog: Catalog): Authority {
  /** The latest end of what it makes. */
  const latestEnd = (now: number): number =>
    acting.mayIssue === Number.POSITIVE_INFINITY ? acting.endsAt : now + acting.mayIssue;

  function assertMayChange(): void {
    if (acting.mayIssue > 0) return;
    throw new PosternError(
      'issuance_forbidden',
      'this credential makes and changes nothing: use the API token that it comes from, or the new secret',
    );
  }

  return {
    actor: { kind: 'principal', tokenId: acting.tokenId, owner: acting.owner },
    from: acting.from,
    organization(named) {
      if (named === undefined || named === acting.organization) return acting.organization;
      throw new PosternError('organization_forbidden', 'this caller acts in its own only: leave it out', {
        path: 'organization',
      });
    },
    sees: (organization) => organization === acting.organization,
    owner(named) {
      if (named === undefined || named === acting.owner) return acting.owner;
      throw new PosternError('owner_forbidden', 'this caller makes tokens for itself only: leave it out', {
        path: 'owner',
      });
    },
    ownership(named = acting.makes[0] ?? 'personal') {
      if (acting.makes.includes(named)) return named;
      throw new PosternError('owner_forbidden', `this caller makes ${acting.makes.join(' and ')} tokens only`, {
        path: 'ownership',
      });
    },
    assertMayChange,
    async issuance(id) {
      assertMayChange();
      const before = await acting.standing();
      if (before.ended) throw hasEnded();
      if (before.limited && id !== acting.tokenId) {
        throw new PosternError(
          'limits_forbidden',
          "this caller's token has limits, and would get around them: use a token without limits",
          { path: 'limits' },
        );
      }
      return {
        async assertStands() {
          const now = await acting.standing();
          if (now.ended || endedSince(before.lastEnded, now.lastEnded)) throw hasEnded();
        },
      };
    },
    assertMaySpeakFor({ owner, ownership }) {
      // An organization's token was made by someone, and speaks for the organization, not for them.
      const own = acting.ownership === 'personal' && owner === acting.owner;
      if (ownership === 'organization' || owner === null || own) return;
      throw new PosternError(
        'owner_forbidden',
        "this is someone else's personal token, and its new secret would speak for them: let its owner rotate it, or revoke it",
        { path: 'id' },
      );
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
      // Whoever holds all by a rule holds this one by its name no more than one that is not there.
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

function hasEnded(): PosternError {
  return new PosternError('issuance_forbidden', 'this caller has ended, so it makes nothing: sign in again');
}

function notGranted(endpoint: string): PosternError {
  const what = endpoint === '*' ? 'every endpoint' : `endpoint "${endpoint}"`;
  return new PosternError(
    'endpoint_not_granted',
    `this caller does not reach ${what}, and can not grant it: ask for less, or use a token that reaches it`,
    { path: 'types' },
  );
}

/** Nothing outlives what made it. */
function assertWithin(end: number | null, latest: number): void {
  if ((end ?? Number.POSITIVE_INFINITY) <= latest) return;
  const until = new Date(latest).toISOString();
  throw new PosternError(
    'expiry_beyond',
    `is later than ${until}, when this caller ends: nothing that it makes ends later`,
    {
      path: 'expiresAt',
    },
  );
}
