import type { Change, ChangeQuery } from '../../ports/changes.js';
import type { Stale } from '../../ports/store.js';
import { isBy } from '../shared/actors.js';
import { encode, messageOf } from '../shared/feed/message.js';
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

const OLDEST = guarded(`
local members = redis.call('ZRANGEBYLEX', LOG, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
if #members == 0 then return {'page', members, members} end
local ids = {}
for i, member in ipairs(members) do ids[i] = string.sub(member, tonumber(ARGV[5])) end
return {'page', members, redis.call('HMGET', CHANGES, unpack(ids))}
`);

/** Takes the number of ids, the ids, then members of the listings. Returns the number of removed ids. Safe to run twice. */
const REMOVE = guarded(`
local ids, removed = tonumber(ARGV[2]), 0
for i = 3, 2 + ids do removed = removed + redis.call('HDEL', CHANGES, ARGV[i]) end
for i = 3 + ids, #ARGV do redis.call('ZREM', LOG, ARGV[i]) end
return {'removed', removed}
`);

/** The most changes that one script reads or removes. The server does nothing else meanwhile. */
const TRIMMED_AT_ONCE = 200;

/** The arguments of the scripts for a change. They are made before anything is written, so an unreadable change changes nothing. */
export function changeArgs(change: Change, feed: string, invalidation: Stale | null): readonly string[] {
  const { id, type, at, actor, from, organization, subject, before, after } = change;
  const entry = JSON.stringify({ id, type, at, actor, from, organization, subject, before, after });
  const message = invalidation === null ? '' : encode(messageOf(change, invalidation));
  return [id, entry, ...membersOf(change), feed, message];
}

/** The members of `log` for a change. */
function membersOf({ id, at, organization, subject }: Change): readonly string[] {
  const listings = [Listing.all, Listing.ofOrganization(organization), Listing.ofSubject(subject)];
  return listings.map((listing) => `${listing.at(at)}${id}`);
}

export async function listChanges(connection: Connection, query: ChangeQuery): Promise<readonly Change[]> {
  const { organization, subject, type, actor, after, until, offset, limit } = query;
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
      filtered: type !== undefined || actor !== undefined || (subject !== undefined && organization !== null),
      read: (_member, [entry]) => (entry === null ? null : readChange(entry as string)),
      fits: (change) =>
        (organization === null || change.organization === organization) &&
        (type === undefined || change.type === type) &&
        (actor === undefined || isBy(change.actor, actor)),
    },
    limit,
    offset,
  );
}

export async function trimChanges(connection: Connection, before: number, limit: number): Promise<number> {
  const listing = Listing.all;
  let trimmed = 0;
  while (trimmed < limit) {
    const size = Math.min(TRIMMED_AT_ONCE, limit - trimmed);
    const [, members, entries] = (await connection.run(
      OLDEST,
      listing.first,
      `(${listing.at(before)}`,
      String(size),
      listing.idStart,
    )) as unknown as [string, string[], (string | null)[]];
    if (members.length > 0) {
      const ids = members.map((member) => listing.idOf(member));
      // A damaged entry is removed too, but its members in other listings are not known.
      const others = entries.flatMap((entry) => (entry === null ? [] : membersIn(entry)));
      const [, removed] = await connection.run(REMOVE, String(ids.length), ...ids, ...members, ...others);
      trimmed += Number(removed);
    }
    if (members.length < size) break;
  }
  return trimmed;
}

function membersIn(entry: string): readonly string[] {
  try {
    return membersOf(readChange(entry));
  } catch {
    return [];
  }
}

/** @throws SyntaxError for a damaged entry: a log that was tampered with must not look complete */
function readChange(entry: string): Change {
  return JSON.parse(entry) as Change;
}
