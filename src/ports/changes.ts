/** The author of a change: the application itself, or the holder of a credential. */
export type Actor =
  | { readonly kind: 'application' }
  | { readonly kind: 'principal'; readonly tokenId: string; readonly owner: string | null };

export const CHANGE_TYPES = [
  'token.created',
  'token.imported',
  'token.updated',
  'token.rotated',
  'token.revoked',
  'token.deleted',
  'token.pruned',
  'endpoint.created',
  'endpoint.updated',
  'endpoint.deleted',
] as const;

/** The kind of a change. */
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** One change, as the audit log keeps it. Holds no secret and no digest. */
export interface Change {
  /** Unique. 22 characters of `A-Za-z0-9`. */
  readonly id: string;
  readonly type: ChangeType;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: Actor;
  /** The caller's address, as the application gave it; otherwise `null`. */
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** JSON of its record before and after the change; `null` if there was none. Stores don't read it. */
  readonly before: string | null;
  readonly after: string | null;
}

/** The position of a change in the order of a page. */
export interface ChangePosition {
  readonly at: number;
  readonly id: string;
}

/** A page of the changes that meet all conditions, newest first. */
export interface ChangeQuery {
  /** `null`: every organization. */
  readonly organization: string | null;
  readonly subject?: string | undefined;
  readonly type?: ChangeType | undefined;
  /** Only changes by this owner, by the token of this id, or (`'application'`) by the application. */
  readonly actor?: string | undefined;
  /** Only changes after this one. The order is by `at`, newest first, then by id, highest first. */
  readonly after?: ChangePosition | undefined;
  /** Only changes up to and including this one. Together with `after` it limits how many rows are read, even if few match. */
  readonly until?: ChangePosition | undefined;
  /** How many of the first matching changes to skip. */
  readonly offset?: number | undefined;
  readonly limit: number;
}
