import type { SecretRotation, StoredSecret, StoredToken, TokenQuery } from '../../services/ports.js';
import type { PreparedChange } from './changes.js';
import type { Connection } from './connection.js';
import { Listing } from './keys.js';
import { readListing } from './listing.js';
import { changing, guarded } from './script.js';
import { aDigest, damagedToken, indexParts, readSecret, readToken, writeSecret, writeToken } from './token-record.js';

const FIND_BY_DIGEST = guarded(`
for i = 2, #ARGV do
  local secret = redis.call('HGET', SECRETS, ARGV[i])
  local id = secret and string.match(secret, '^[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n(.*)$')
  local token = id and redis.call('HGET', TOKENS, id)
  if token then return {'found', id, token, redis.call('HGET', USED, id), ARGV[i], secret} end
end
return {'none'}
`);

const FIND = guarded(`
local token = redis.call('HGET', TOKENS, ARGV[2])
if not token then return {'none'} end
return {'found', token, redis.call('HGET', USED, ARGV[2])}
`);

const PAGE = guarded(`
local members = redis.call('ZREVRANGEBYLEX', INDEX, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])
if #members == 0 then return {'page', members, members, members} end
local ids = {}
for i, member in ipairs(members) do ids[i] = string.sub(member, tonumber(ARGV[5])) end
return {'page', members, redis.call('HMGET', TOKENS, unpack(ids)), redis.call('HMGET', USED, unpack(ids))}
`);

const EXPIRED = guarded(`return {'page', redis.call('ZRANGEBYLEX', INDEX, ARGV[2], ARGV[3], 'LIMIT', 0, ARGV[4])}`);

/** `place` puts a token where it stands in the listings, or takes it away. */
const PLACES = `
local function place(command, parts, id)
  for part in string.gmatch(parts, '[^\\t]+') do
    if command == 'ZADD' then redis.call('ZADD', INDEX, 0, part .. id) else redis.call('ZREM', INDEX, part .. id) end
  end
end
`;

/** id, version, parts, record, digest, secret, last use or `''`. */
const INSERT = changing(`${PLACES}
local id, version, parts, record, digest, secret, used = unpack(ARGV, 10)
if redis.call('HEXISTS', TOKENS, id) == 1 or redis.call('HEXISTS', SECRETS, digest) == 1 then return {'refused', now} end
begin()
redis.call('HSET', TOKENS, id, version .. '\\n' .. digest .. '\\n' .. parts .. '\\n' .. record)
redis.call('HSET', SECRETS, digest, secret)
if used ~= '' then redis.call('HSET', USED, id, used) end
place('ZADD', parts, id)
return {'done', now}
`);

/** id, expected version, version, parts, record, digest or `''`, secret, when the others end. */
const REPLACE = changing(`${PLACES}
local id, expected, version, parts, record, digest, secret, othersEndAt = unpack(ARGV, 10)
local found = redis.call('HGET', TOKENS, id)
if not found then return {'refused', now} end
local current, digests, oldParts = string.match(found, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n')
if current ~= expected then return {'refused', now} end
if digest ~= '' and redis.call('HEXISTS', SECRETS, digest) == 1 then return {'refused', now} end
begin()
if digest ~= '' then
  for other in string.gmatch(digests, '[^,]+') do
    local line = redis.call('HGET', SECRETS, other)
    local endsAt, rest = string.match(line or '', '^([^\\n]*)(\\n.*)$')
    if endsAt and (endsAt == '-' or tonumber(endsAt) > tonumber(othersEndAt)) then
      redis.call('HSET', SECRETS, other, othersEndAt .. rest)
    end
  end
  redis.call('HSET', SECRETS, digest, secret)
  digests = digests .. ',' .. digest
end
redis.call('HSET', TOKENS, id, version .. '\\n' .. digests .. '\\n' .. parts .. '\\n' .. record)
if parts ~= oldParts then
  place('ZREM', oldParts, id)
  place('ZADD', parts, id)
end
return {'done', now}
`);

const DELETE = changing(`${PLACES}
local id = ARGV[10]
local found = redis.call('HGET', TOKENS, id)
if not found then return {'refused', now} end
begin()
local _, digests, parts = string.match(found, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n')
for digest in string.gmatch(digests or '', '[^,]+') do redis.call('HDEL', SECRETS, digest) end
place('ZREM', parts or '', id)
redis.call('HDEL', TOKENS, id)
redis.call('HDEL', USED, id)
redis.call('HDEL', COUNTS, id)
return {'done', now}
`);

export async function findTokenByDigest(
  connection: Connection,
  digests: readonly string[],
): Promise<{ token: StoredToken; secret: StoredSecret } | null> {
  if (digests.length === 0) return null;
  const [word, id, token, used, digest, secret] = await connection.run(FIND_BY_DIGEST, ...digests);
  if (word === 'none') return null;
  return {
    token: readToken(token as string, used) ?? damagedToken(id as string),
    secret: readSecret(digest as string, secret as string),
  };
}

export async function findToken(connection: Connection, id: string): Promise<StoredToken | null> {
  const [word, token, used] = await connection.run(FIND, id);
  return word === 'none' ? null : (readToken(token as string, used) ?? damagedToken(id));
}

export function listTokens(connection: Connection, query: TokenQuery): Promise<readonly StoredToken[]> {
  const { organization, owner, type, search, after, limit } = query;
  const listing =
    organization === null
      ? Listing.all
      : owner === undefined
        ? Listing.ofOrganization(organization)
        : Listing.ofOwner(organization, owner);
  const sought = search === undefined ? null : lower(search);
  return readListing<StoredToken>({
    connection,
    script: PAGE,
    listing,
    after: after && { time: after.createdAt, id: after.id },
    limit,
    filtered: type !== undefined || search !== undefined || (organization === null && owner !== undefined),
    read: (member, [token, used]) =>
      // Between two pages a token may go: its member goes with it, but a record that was deleted by hand leaves it.
      token === null
        ? null
        : (readToken(token as string, used) ?? damagedToken(listing.idOf(member), listing.timeOf(member))),
    fits: (token) =>
      (owner === undefined || token.owner === owner) &&
      (type === undefined || token.typeNames.includes(type)) &&
      (sought === null || holds(token.name, sought) || holds(token.description, sought)),
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

export async function insertToken(
  connection: Connection,
  token: StoredToken,
  secret: StoredSecret,
  change: PreparedChange,
): Promise<string> {
  const { id, version, lastUsedAt } = token;
  return connection.change(
    INSERT,
    ...change.args,
    id,
    String(version),
    indexParts(token),
    writeToken(token),
    aDigest(secret.digest),
    writeSecret(secret, id),
    lastUsedAt === null ? '' : String(lastUsedAt),
  );
}

export async function replaceToken(
  connection: Connection,
  token: StoredToken,
  expectedVersion: number,
  rotation: SecretRotation | null,
  change: PreparedChange,
): Promise<string> {
  const { id, version } = token;
  return connection.change(
    REPLACE,
    ...change.args,
    id,
    String(expectedVersion),
    String(version),
    indexParts(token),
    writeToken(token),
    ...(rotation === null
      ? ['', '', '']
      : [aDigest(rotation.secret.digest), writeSecret(rotation.secret, id), String(rotation.othersEndAt)]),
  );
}

export function deleteToken(connection: Connection, id: string, change: PreparedChange): Promise<string> {
  return connection.change(DELETE, ...change.args, id);
}

function holds(text: unknown, sought: string): boolean {
  return typeof text === 'string' && lower(text).includes(sought);
}

/** ASCII letters without case, everything else as it is. */
function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
