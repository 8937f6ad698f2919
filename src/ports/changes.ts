/** Who made a change: the application itself, or the holder of a credential. */
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

/** What a change did. */
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** One change, as the audit log keeps it. Holds no secret and no digest. */
export interface Change {
  /** Unlike any other change's. 22 characters of `A-Za-z0-9`. */
  readonly id: string;
  readonly type: ChangeType;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly actor: Actor;
  /** From where, as the application names it (an address); `null` where it doesn't. */
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** JSON of what was shown of it before and after; `null` where there was nothing. No store's business. */
  readonly before: string | null;
  readonly after: string | null;
}

/** Where a change stands in the order of a page. */
export interface ChangePosition {
  readonly at: number;
  readonly id: string;
}

/** Which changes, and which page of them, newest first. All conditions hold at once. */
export interface ChangeQuery {
  /** `null`: every organization. */
  readonly organization: string | null;
  readonly subject?: string | undefined;
  readonly type?: ChangeType | undefined;
  /** Only those after this one, in the order newest first (`at`), then by id from the highest. */
  readonly after?: ChangePosition | undefined;
  /** Only those up to this one, itself included. With `after` it bounds what is looked at, however few of them fit. */
  readonly until?: ChangePosition | undefined;
  /** So many of the first are passed over. */
  readonly offset?: number | undefined;
  readonly limit: number;
}
