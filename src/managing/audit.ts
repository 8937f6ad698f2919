import { check } from '../base/check.js';
import { decodeCursor, encodeCursor } from '../base/cursor.js';
import type { Ground } from '../base/ground.js';
import { inTurn } from '../base/turns.js';
import type { Actor, Change, ChangePosition, ChangeQuery, ChangeType } from '../ports/changes.js';
import type { Store } from '../ports/store.js';
import type { Authority } from './authority.js';
import { listChangesInput } from './inputs.js';
import { type Found, findInSlices, type Listing, pageOf, readSlice, slices } from './slices.js';
import type { Page } from './tokens-api.js';

/** One change: its author, time and address, and the record before and after. Holds no secret. */
export interface AuditEntry {
  readonly id: string;
  readonly type: ChangeType;
  readonly at: Date;
  readonly actor: Actor;
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** The record as JSON (dates are texts); `null` if there was none. */
  readonly before: unknown;
  readonly after: unknown;
}

/** A page of the changes that meet all conditions. */
export interface ListChanges {
  /** `'*'`: all. Default: the instance's own. */
  readonly organization?: string | undefined;
  readonly subject?: string | undefined;
  readonly type?: ChangeType | undefined;
  /** Changes by this owner, by the token of this id, or (`'application'`) by the application. The whole name, as it is written. */
  readonly actor?: string | undefined;
  /** Changes at this time or later. */
  readonly since?: Date | undefined;
  /** Changes before this time. */
  readonly until?: Date | undefined;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | null | undefined;
}

/** `postern.audit`: reads the log of changes. */
export interface Audit {
  /**
   * Changes, newest first. Each was written in the same transaction as the change that it describes. `type`, `actor`, and a `subject`
   * in one organization, have no index: one call searches 50,000 changes at most. So a page may have fewer items than `limit` and
   * still not be the last. The last page has the `nextCursor` `null`.
   *
   * @throws PosternError `input_invalid`, `option_unknown`, `unavailable`
   */
  list(query?: ListChanges): Promise<Page<AuditEntry>>;
}

export function createAudit(ground: Ground, authority: Authority): Audit {
  return {
    async list(query = {}) {
      const given = check(listChangesInput, query, 'audit.list', 'input_invalid');
      const everywhere = given.organization === '*' && authority.actor.kind === 'application';
      const cursor = given.cursor == null ? undefined : decodeCursor(given.cursor);
      const organization = everywhere ? null : authority.organization(given.organization);
      const filter = {
        organization,
        ...(given.subject !== undefined && { subject: given.subject }),
        ...(given.type !== undefined && { type: given.type }),
        ...(given.actor !== undefined && { actor: given.actor }),
      };
      const after = earlier(cursor && { at: cursor.createdAt, id: cursor.id }, startOf(given.until));
      const { rows, next } = await findChanges(ground.store, filter, { after, end: startOf(given.since) }, given.limit);
      return {
        items: await inTurn(rows, toEntry),
        nextCursor: next && encodeCursor({ createdAt: next.at, id: next.id }),
      };
    },
  };
}

type Filter = Pick<ChangeQuery, 'organization' | 'subject' | 'type' | 'actor'>;

/** The part of the log to read: after one position, up to and including another. */
interface Span {
  readonly after: ChangePosition | undefined;
  readonly end: ChangePosition | undefined;
}

/** The position between all changes at a time or later, and all changes before it: no id is empty. */
function startOf(time: Date | undefined): ChangePosition | undefined {
  return time && { at: Math.max(0, time.getTime()), id: '' };
}

/** The cursor of a page lies before `until` already, unless the caller changed `until`. */
function earlier(cursor: ChangePosition | undefined, until: ChangePosition | undefined): ChangePosition | undefined {
  return cursor === undefined || (until !== undefined && until.at <= cursor.at) ? (until ?? cursor) : cursor;
}

/** A page of changes. Without an index the search is bounded, as in {@link findTokens}. */
async function findChanges(
  store: Store,
  filter: Filter,
  { after, end }: Span,
  limit: number,
): Promise<Found<Change, ChangePosition>> {
  const { organization, subject, type, actor } = filter;
  // Stores have an index by subject, one by organization, and one over all changes.
  const indexed = subject === undefined ? { organization } : { organization: null, subject };
  const isIndexed = type === undefined && actor === undefined && (subject === undefined || organization === null);
  const listing: Listing<Change, ChangePosition> = {
    // A slice without a last position is the last one.
    list: (slice, most) => store.listChanges({ ...filter, until: end, ...slice, limit: most }),
    sizeOf: (change) => (change.before?.length ?? 0) + (change.after?.length ?? 0),
  };
  const at = async (begin: ChangePosition | undefined, offset: number): Promise<ChangePosition | undefined> => {
    const [row] = await store.listChanges({ ...indexed, after: begin, until: end, offset, limit: 1 });
    return row;
  };
  const found = isIndexed
    ? await readSlice(after ? { after } : {}, limit + 1, listing)
    : await findInSlices(slices(after, at), limit + 1, listing);
  return pageOf(found, limit);
}

function toEntry({ before, after, at, ...rest }: Change): AuditEntry {
  return { ...rest, at: new Date(at), before: parsed(before), after: parsed(after) };
}

/** A damaged text is shown as it is: an audit log hides nothing. */
function parsed(json: string | null): unknown {
  if (json === null) return null;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
