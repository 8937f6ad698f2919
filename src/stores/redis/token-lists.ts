import { endsIn, stateAt } from '../../domain/token-state.js';
import type { StoredToken } from '../../ports/records.js';
import type { TokenFilter, TokenQuery } from '../../ports/store.js';
import type { Connection } from './connection.js';
import { Listing } from './keys.js';
import { countListing, type ListingQuery, readListing } from './listing.js';
import { guarded } from './script.js';
import { damagedToken, readToken } from './token-record.js';

/** Skipped rows are found by rank, so that skipping many costs little. */
const PAGE = guarded(`
local upper, lower, size, offset = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[6])
local members = {}
if offset == 0 then
  members = redis.call('ZREVRANGEBYLEX', INDEX, upper, lower, 'LIMIT', 0, size)
else
  local inside = redis.call('ZLEXCOUNT', INDEX, lower, upper)
  if offset < inside then
    local above = redis.call('ZLEXCOUNT', INDEX, '[' .. string.sub(upper, 2), '+')
    members = redis.call('ZREVRANGE', INDEX, above + offset, above + math.min(inside, offset + size) - 1)
  end
end
if #members == 0 then return {'page', members, members, members} end
local ids = {}
for i, member in ipairs(members) do ids[i] = string.sub(member, tonumber(ARGV[5])) end
return {'page', members, redis.call('HMGET', TOKENS, unpack(ids)), redis.call('HMGET', USED, unpack(ids))}
`);

const COUNT = guarded(`return {'count', redis.call('ZLEXCOUNT', INDEX, ARGV[2], ARGV[3])}`);

/** The plan of a search: a listing, and further conditions. */
interface Plan {
  readonly listing: Listing;
  /** The conditions that the listing doesn't cover. */
  readonly rest: Pick<TokenFilter, 'owner' | 'ownership' | 'type' | 'revoked' | 'state' | 'ends' | 'search'>;
}

export function listTokens(connection: Connection, query: TokenQuery): Promise<readonly StoredToken[]> {
  return readListing(listingQuery(connection, planFor(query), query), query.limit, query.offset);
}

export async function countTokens(connection: Connection, filter: TokenFilter, atMost: number): Promise<number> {
  const plan = planFor(filter);
  if (isFiltered(plan) || filter.after !== undefined || filter.until !== undefined) {
    return countListing(listingQuery(connection, plan, filter), atMost);
  }
  // A whole listing is counted without reading it.
  const [, count] = await connection.run(COUNT, plan.listing.first, plan.listing.end);
  return Math.min(Number(count), atMost);
}

export function listExpiredTokens(
  connection: Connection,
  organization: string | null,
  before: number,
  limit: number,
): Promise<readonly StoredToken[]> {
  const listing = organization === null ? Listing.expiring : Listing.expiringOf(organization);
  const position = { after: { createdAt: before + 1, id: '' } };
  return readListing(listingQuery(connection, { listing, rest: {} }, position), limit);
}

function planFor({ organization, owner, ownership, type, revoked, state, ends, search }: TokenFilter): Plan {
  const others = {
    ...(type !== undefined && { type }),
    ...(revoked !== undefined && { revoked }),
    ...(state !== undefined && { state }),
    ...(ends !== undefined && { ends }),
    ...(search !== undefined && { search }),
  };
  const owned = ownership === undefined ? others : { ...others, ownership };
  if (organization === null) return { listing: Listing.all, rest: owner === undefined ? owned : { ...owned, owner } };
  if (owner !== undefined) return { listing: Listing.ofOwner(organization, owner), rest: owned };
  if (ownership !== undefined) return { listing: Listing.ofOwnership(organization, ownership), rest: others };
  return { listing: Listing.ofOrganization(organization), rest: others };
}

function isFiltered({ rest }: Plan): boolean {
  return Object.keys(rest).length > 0;
}

function listingQuery(
  connection: Connection,
  plan: Plan,
  { after, until }: Pick<TokenFilter, 'after' | 'until'>,
): ListingQuery<StoredToken> {
  const { listing, rest } = plan;
  const { owner, ownership, type, revoked, state, ends, search } = rest;
  const sought = search === undefined ? null : lower(search);
  return {
    connection,
    script: PAGE,
    listing,
    after: after && { time: after.createdAt, id: after.id },
    until: until && { time: until.createdAt, id: until.id },
    filtered: isFiltered(plan),
    read: (member, [token, used]) =>
      // A deleted token's member is deleted too. A record that was deleted by hand leaves its member.
      token === null
        ? null
        : (readToken(token as string, used) ?? damagedToken(listing.idOf(member), listing.timeOf(member))),
    fits: (token) =>
      (owner === undefined || token.owner === owner) &&
      (ownership === undefined || token.ownership === ownership) &&
      (revoked === undefined || (token.revokedAt !== null) === revoked) &&
      (state === undefined || stateAt(token, state.at) === state.is) &&
      (ends === undefined || endsIn(token, ends)) &&
      (type === undefined || token.typeNames.includes(type)) &&
      (sought === null || holds(token.name, sought) || holds(token.description, sought)),
  };
}

function holds(text: unknown, sought: string): boolean {
  return typeof text === 'string' && lower(text).includes(sought);
}

/** Ignores the case of ASCII letters only. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
