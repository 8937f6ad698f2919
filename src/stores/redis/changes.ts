import type { Change, ChangeQuery } from '../../ports/changes.js';
import type { Invalidation } from '../../ports/store.js';
import { encode } from '../shared/feed/message.js';
import type { Connection } from './connection.js';
import { Listing } from './keys.js';
import { readListing } from './listing.js';
import { guarded } from './script.js';

const PAGE = guarded(`
local members = redis.call('ZREVRANGEBYLEX', LOG, ARGV[2], ARGV[3], 'LIMIT', ARGV[6], ARGV[4])
if #members == 0 then return {'page', members, members} end
local ids = {}
for i, member in ipairs(members) do ids[i] = string.sub(member, tonumber(ARGV[5])) end
return {'page', members, redis.call('HMGET', CHANGES, unpack(ids))}
`);

/** What the scripts take of a change, read whole: one that can't be read changes nothing. */
export function changeArgs(change: Change, feed: string, invalidation: Invalidation | null): readonly string[] {
  const { id, type, at, actor, from, organization, subject, before, after } = change;
  const entry = JSON.stringify({ id, type, at, actor, from, organization, subject, before, after });
  const listings = [Listing.all, Listing.ofOrganization(organization), Listing.ofSubject(subject)];
  const message = invalidation === null ? '' : encode({ kind: 'change', id, invalidation });
  return [id, entry, ...listings.map((listing) => `${listing.at(at)}${id}`), feed, message];
}

export async function listChanges(connection: Connection, query: ChangeQuery): Promise<readonly Change[]> {
  const { organization, subject, type, after, until, offset, limit } = query;
  const listing =
    subject !== undefined
      ? Listing.ofSubject(subject)
      : organization !== null
        ? Listing.ofOrganization(organization)
        : Listing.all;
  return readListing<Change>(
    {
      connection,
      script: PAGE,
      listing,
      after: after && { time: after.at, id: after.id },
      until: until && { time: until.at, id: until.id },
      filtered: type !== undefined || (subject !== undefined && organization !== null),
      read: (_member, [entry]) => (entry === null ? null : readChange(entry as string)),
      fits: (change) =>
        (organization === null || change.organization === organization) && (type === undefined || change.type === type),
    },
    limit,
    offset,
  );
}

/** @throws SyntaxError where it was changed by hand: a log that was tampered with is not shown as if it were whole */
function readChange(entry: string): Change {
  return JSON.parse(entry) as Change;
}
