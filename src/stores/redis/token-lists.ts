import type { StoredToken } from '../../ports/records.js';
import type { TokenFilter, TokenQuery } from '../../ports/store.js';
import type { Connection } from './connection.js';
import { Listing } from './keys.js';
import { countListing, type ListingQuery, readListing } from './listing.js';
import { guarded } from './script.js';
import { damagedToken, readToken } from './token-record.js';
import type { Upgrade } from './upgrade.js';

/** What a listing needs that is whole only once all tokens are of this version. */
const UPGRADED = 'upgraded';

/** Where `needs` (its argument) is not given yet. */
const unlessGiven = (needs: string) =>
  `if ${needs} == '${UPGRADED}' and redis.call('EXISTS', UPGRADE) == 1 then return {'unfinished'} end`;

/** Those that are passed over are found by rank: they are not walked over, however many there are. */
const PAGE = guarded(`
${unlessGiven('ARGV[7]')}
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

const COUNT = guarded(`
${unlessGiven('ARGV[4]')}
return {'count', redis.call('ZLEXCOUNT', INDEX, ARGV[2], ARGV[3])}
`);

const EXPIRED = guarded(`return {'page', redis.call('ZRANGEBYLEX', INDEX, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])}`);

/** How tokens are looked for: in which listing, and by what else. */
interface Plan {
  readonly listing: Listing;
  readonly needs: string;
  /** What being in the listing does not say already. */
  readonly rest: Omit<TokenFilter, 'organization'>;
}

export async function listTokens(
  connection: Connection,
  upgrade: Upgrade,
  query: TokenQuery,
): Promise<readonly StoredToken[]> {
  const { limit, offset, after } = query;
  const position = after && { time: after.createdAt, id: after.id };
  return byBestPlan(query, upgrade, (plan) => readListing(listingQuery(connection, plan, position), limit, offset));
}

export async function countTokens(
  connection: Connection,
  upgrade: Upgrade,
  filter: TokenFilter,
  atMost: number,
): Promise<number> {
  // The whole of a listing is counted without reading it; these are those that the port wants the whole of.
  const isExact = filter.owner === undefined && filter.type === undefined && filter.search === undefined;
  const isOfOne = filter.organization !== null || filter.ownership === undefined;
  const most = isExact && isOfOne ? Number.POSITIVE_INFINITY : atMost;
  return byBestPlan(filter, upgrade, async (plan) => {
    if (isFiltered(plan)) return countListing(listingQuery(connection, plan), most);
    const { listing, needs } = plan;
    const [word, count] = await connection.run(COUNT, listing.first, listing.end, needs);
    return word === 'unfinished' ? null : Math.min(Number(count), most);
  });
}

export async function listExpiredTokens(
  connection: Connection,
  organization: string | null,
  before: number,
  limit: number,
): Promise<readonly string[]> {
  const listing = organization === null ? Listing.expiring : Listing.expiringOf(organization);
  const [, members] = await connection.run(EXPIRED, listing.first, `(${listing.at(before + 1)}`, String(limit));
  return (members as string[]).map((member) => listing.idOf(member));
}

/** @param work answers `null` where the plan's listing is not whole yet: then another one does, at a higher cost */
async function byBestPlan<T>(
  filter: TokenFilter,
  upgrade: Upgrade,
  work: (plan: Plan) => Promise<T | null>,
): Promise<T> {
  const found = await work(planFor(filter, true));
  if (found !== null) return found;
  upgrade.resume();
  return (await work(planFor(filter, false))) as T;
}

function planFor(filter: TokenFilter, isUpgraded: boolean): Plan {
  const { organization, ...rest } = filter;
  const { owner, ownership, type, search } = rest;
  const others = { ...(type !== undefined && { type }), ...(search !== undefined && { search }) };
  if (organization === null) return { listing: Listing.all, needs: '', rest };
  if (owner !== undefined) {
    const listing = Listing.ofOwner(organization, owner);
    return { listing, needs: '', rest: { ...others, ...(ownership !== undefined && { ownership }) } };
  }
  if (ownership !== undefined && isUpgraded) {
    return { listing: Listing.ofOwnership(organization, ownership), needs: UPGRADED, rest: others };
  }
  return { listing: Listing.ofOrganization(organization), needs: '', rest };
}

function isFiltered({ rest: { owner, ownership, type, search } }: Plan): boolean {
  return owner !== undefined || ownership !== undefined || type !== undefined || search !== undefined;
}

function listingQuery(connection: Connection, plan: Plan, after?: ListingQuery<StoredToken>['after']) {
  const { listing, needs, rest } = plan;
  const { owner, ownership, type, search } = rest;
  const sought = search === undefined ? null : lower(search);
  const query: ListingQuery<StoredToken> = {
    connection,
    script: PAGE,
    listing,
    needs,
    after,
    filtered: isFiltered(plan),
    read: (member, [token, used]) =>
      // Between two pages a token may go: its member goes with it, but a record that was deleted by hand leaves it.
      token === null
        ? null
        : (readToken(token as string, used) ?? damagedToken(listing.idOf(member), listing.timeOf(member))),
    fits: (token) =>
      (owner === undefined || token.owner === owner) &&
      (ownership === undefined || token.ownership === ownership) &&
      (type === undefined || token.typeNames.includes(type)) &&
      (sought === null || holds(token.name, sought) || holds(token.description, sought)),
  };
  return query;
}

function holds(text: unknown, sought: string): boolean {
  return typeof text === 'string' && lower(text).includes(sought);
}

/** ASCII letters without case, everything else as it is. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
