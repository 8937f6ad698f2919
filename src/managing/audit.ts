import { check } from '../base/check.js';
import { decodeCursor, encodeCursor } from '../base/cursor.js';
import type { Ground } from '../base/ground.js';
import type { Actor, Change, ChangeType } from '../ports/changes.js';
import type { Authority } from './authority.js';
import { listChangesInput } from './inputs.js';
import type { Page } from './tokens-api.js';

/** One change: who did what, when, from where, and what it was before and after. Holds no secret. */
export interface AuditEntry {
  readonly id: string;
  readonly type: ChangeType;
  readonly at: Date;
  readonly actor: Actor;
  readonly from: string | null;
  readonly organization: string;
  /** The token's or the endpoint's id. */
  readonly subject: string;
  /** The record as JSON has it (dates are texts); `null` where there was nothing. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Which changes, and which page of them. All conditions hold at once. */
export interface ListChanges {
  /** `'*'`: all. Default: the instance's own. */
  readonly organization?: string | undefined;
  readonly subject?: string | undefined;
  readonly type?: ChangeType | undefined;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | null | undefined;
}

/** `postern.audit`: reads the log of changes. */
export interface Audit {
  /**
   * Changes, newest first. Each was written in the same transaction as what it tells of.
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
      const after = given.cursor == null ? undefined : decodeCursor(given.cursor);
      const changes = await ground.store.listChanges({
        organization: everywhere ? null : authority.organization(given.organization),
        limit: given.limit + 1,
        ...(given.subject !== undefined && { subject: given.subject }),
        ...(given.type !== undefined && { type: given.type }),
        ...(after && { after: { at: after.createdAt, id: after.id } }),
      });
      const page = changes.slice(0, given.limit);
      const last = page.at(-1);
      return {
        items: page.map(toEntry),
        nextCursor: changes.length > given.limit && last ? encodeCursor({ createdAt: last.at, id: last.id }) : null,
      };
    },
  };
}

function toEntry({ before, after, at, ...rest }: Change): AuditEntry {
  return { ...rest, at: new Date(at), before: parsed(before), after: parsed(after) };
}

/** A text that was changed by hand is shown as it is: an audit log hides nothing. */
function parsed(json: string | null): unknown {
  if (json === null) return null;
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
