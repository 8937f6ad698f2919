import type { Access } from '../domain/endpoint.js';
import type { PosternError } from '../domain/errors.js';
import type { StoredGrants } from '../domain/grants.js';
import type { Ownership } from '../domain/principal.js';
import type { Actor } from '../ports/changes.js';

/**
 * The rights of the caller of management. The application may do everything. A principal is limited to its organization, its
 * owner, its grants and its end. Every method of tokens and endpoints asks it, and all rules about rights are in `authorities.ts`.
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

/**
 * The endpoints of its organization that a principal may see. `'held'`: those that it reaches. `'seen'`: all. `'grantable'`: all,
 * and it may grant them.
 */
export type EndpointRights = 'held' | 'seen' | 'grantable';
