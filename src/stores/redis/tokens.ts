import {
  MOST_SECRETS,
  type NewToken,
  type SecretRotation,
  type StoredSecret,
  type StoredToken,
} from '../../ports/records.js';
import type { Connection, Reply } from './connection.js';
import { changing, guarded } from './script.js';
import {
  aDigest,
  damagedToken,
  indexParts,
  keyArgs,
  NONE,
  readSecret,
  readToken,
  writeSecret,
  writeToken,
} from './token-record.js';

/** `lookUp` finds the token with this digest, and returns it with its secret and last use. */
const LOOK_UP = `
local function lookUp(digest, publicKey)
  local secret = redis.call('HGET', SECRETS, digest)
  local id = secret and string.match(secret, '^[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n(.*)$')
  local token = id and redis.call('HGET', TOKENS, id)
  return token and {'found', id, token, redis.call('HGET', USED, id), digest, secret, publicKey}
end
`;

const FIND_BY_DIGEST = guarded(`${LOOK_UP}
for i = 2, #ARGV do
  local found = lookUp(ARGV[i])
  if found then return found end
end
return {'none'}
`);

const FIND_BY_KEY_ID = guarded(`${LOOK_UP}
for i = 2, #ARGV do
  local digest, publicKey = string.match(redis.call('HGET', KEYIDS, ARGV[i]) or '', '^(%x+)\\n(.*)$')
  local found = digest and lookUp(digest, publicKey)
  if found then return found end
end
return {'none'}
`);

const FIND = guarded(`
local token = redis.call('HGET', TOKENS, ARGV[2])
if not token then return {'none'} end
return {'found', token, redis.call('HGET', USED, ARGV[2])}
`);

const LIST_SECRETS = guarded(`
local digests = string.match(redis.call('HGET', TOKENS, ARGV[2]) or '', '^[^\\n]*\\n([^\\n]*)\\n')
local found = {'secrets'}
for digest in string.gmatch(digests or '', '([^,:]+):?[^,]*') do
  local secret = redis.call('HGET', SECRETS, digest)
  if secret then
    table.insert(found, digest)
    table.insert(found, secret)
  end
end
return found
`);

/** `place` adds a token to its listings, or removes it from them. */
const PLACES = `
local function place(command, parts, id)
  for part in string.gmatch(parts, '[^\\t]+') do
    if command == 'ZADD' then redis.call('ZADD', INDEX, 0, part .. id) else redis.call('ZREM', INDEX, part .. id) end
  end
end
`;

/**
 * `isTaken` checks a secret and its key (`''`: it has none). `keep` writes both, and returns their word in the token's head.
 * `rotate` ends or removes the secrets in the head, and returns the words of those that stay, each with a comma.
 */
const SECRETS = `
local function isTaken(digest, key)
  return redis.call('HEXISTS', SECRETS, digest) == 1 or (key ~= '' and redis.call('HEXISTS', KEYIDS, key) == 1)
end
local function keep(digest, secret, key, publicKey)
  redis.call('HSET', SECRETS, digest, secret)
  if key == '' then return digest end
  redis.call('HSET', KEYIDS, key, digest .. '\\n' .. publicKey)
  return digest .. ':' .. key
end
local function remove(digest, key)
  redis.call('HDEL', SECRETS, digest)
  if key ~= '' then redis.call('HDEL', KEYIDS, key) end
end
local function rotate(digests, othersEndAt, at)
  local living = {}
  for word, digest, key in string.gmatch(digests, '(([^,:]+):?([^,]*))') do
    local endsAt, rest, created = string.match(redis.call('HGET', SECRETS, digest) or '', '^([^\\n]*)(\\n(%-?%d+)\\n.*)$')
    local ends = endsAt == '-' and math.huge or tonumber(endsAt)
    if ends and ends > tonumber(at) then
      table.insert(living, {word = word, digest = digest, key = key, ends = ends, rest = rest, created = tonumber(created)})
    else
      remove(digest, key)
    end
  end
  table.sort(living, function(a, b)
    if (a.ends == math.huge) ~= (b.ends == math.huge) then return a.ends == math.huge end
    if a.created ~= b.created then return a.created > b.created end
    return a.digest > b.digest
  end)
  local words = ''
  for rank, each in ipairs(living) do
    if rank < ${MOST_SECRETS} then
      if each.ends > tonumber(othersEndAt) then redis.call('HSET', SECRETS, each.digest, othersEndAt .. each.rest) end
      words = words .. each.word .. ','
    else
      remove(each.digest, each.key)
    end
  end
  return words
end
`;

/** The key's id is `''` if there is none, like the last use. */
export const INSERT = changing(
  ['id', 'version', 'parts', 'record', 'digest', 'secret', 'key', 'publicKey', 'used'],
  `
if redis.call('HEXISTS', TOKENS, id) == 1 or isTaken(digest, key) then return false end
begin(at)
local digests = keep(digest, secret, key, publicKey)
redis.call('HSET', TOKENS, id, version .. '\\n' .. digests .. '\\n' .. parts .. '\\n' .. record)
if used ~= '' then redis.call('HSET', USED, id, used) end
place('ZADD', parts, id)
return true`,
  PLACES + SECRETS,
);

/** The digest is `''` if this is no rotation. */
export const REPLACE = changing(
  ['id', 'expected', 'version', 'parts', 'record', 'digest', 'secret', 'key', 'publicKey', 'othersEndAt', 'callersNow'],
  `
local found = redis.call('HGET', TOKENS, id)
if not found then return false end
local current, digests, oldParts = string.match(found, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n')
if current ~= expected then return false end
if digest ~= '' and isTaken(digest, key) then return false end
begin(at)
if digest ~= '' then digests = rotate(digests, othersEndAt, callersNow) .. keep(digest, secret, key, publicKey) end
redis.call('HSET', TOKENS, id, version .. '\\n' .. digests .. '\\n' .. parts .. '\\n' .. record)
if parts ~= oldParts then
  place('ZREM', oldParts, id)
  place('ZADD', parts, id)
end
return true`,
  PLACES + SECRETS,
);

export const REVOKE = changing(
  ['id', 'time'],
  `
local found = redis.call('HGET', TOKENS, id)
if not found then return false end
local version, digests, parts, revokedAt, record = string.match(found, '^(%d+)\\n([^\\n]*)\\n([^\\n]*)\\n[^\\n]*\\n([^\\n]*)\\n(.*)$')
if not version then error('ERR the token ' .. id .. ' was changed by hand: delete it') end
if revokedAt ~= '${NONE}' then return false end
begin(at)
version = string.format('%.0f', tonumber(version) + 1)
redis.call('HSET', TOKENS, id, table.concat({version, digests, parts, time, time, record}, '\\n'))
return true`,
);

/** `expected` is `''` if any version will do. */
export const DELETE = changing(
  ['id', 'expected'],
  `
local found = redis.call('HGET', TOKENS, id)
if not found then return false end
local version, digests, parts = string.match(found, '^([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n')
if expected ~= '' and version ~= expected then return false end
begin(at)
for digest, key in string.gmatch(digests or '', '([^,:]+):?([^,]*)') do remove(digest, key) end
place('ZREM', parts or '', id)
redis.call('HDEL', TOKENS, id)
redis.call('HDEL', USED, id)
redis.call('HDEL', COUNTS, id)
for day in string.gmatch(redis.call('HGET', DAYS, 't' .. id) or '', '%S+') do redis.call('HDEL', DAILY, day .. ':t' .. id) end
redis.call('HDEL', DAYS, 't' .. id)
return true`,
  PLACES + SECRETS,
);

export async function findTokenByDigest(
  connection: Connection,
  digests: readonly string[],
): Promise<{ token: StoredToken; secret: StoredSecret } | null> {
  return digests.length === 0 ? null : readFound(await connection.run(FIND_BY_DIGEST, ...digests));
}

export async function findTokenByKeyId(
  connection: Connection,
  keyIds: readonly string[],
): Promise<{ token: StoredToken; secret: StoredSecret; publicKey: string } | null> {
  if (keyIds.length === 0) return null;
  const reply = await connection.run(FIND_BY_KEY_ID, ...keyIds);
  const found = readFound(reply);
  return found && { ...found, publicKey: reply[6] as string };
}

function readFound([word, ...found]: Reply): { token: StoredToken; secret: StoredSecret } | null {
  if (word === 'none') return null;
  const [id, token, used, digest, secret] = found as string[];
  return {
    token: readToken(token as string, used) ?? damagedToken(id as string),
    secret: readSecret(digest as string, secret as string),
  };
}

export async function findToken(connection: Connection, id: string): Promise<StoredToken | null> {
  const [word, token, used] = await connection.run(FIND, id);
  return word === 'none' ? null : (readToken(token as string, used) ?? damagedToken(id));
}

export async function listSecrets(connection: Connection, tokenId: string): Promise<readonly StoredSecret[]> {
  const [, ...found] = await connection.run(LIST_SECRETS, tokenId);
  const texts = found as readonly string[];
  return texts.flatMap((digest, index) => (index % 2 === 0 ? [readSecret(digest, texts[index + 1] as string)] : []));
}

export function insertArgs({ token, secret }: NewToken): readonly string[] {
  const { id, version, lastUsedAt } = token;
  return [
    id,
    String(version),
    indexParts(token),
    writeToken(token),
    aDigest(secret.digest),
    writeSecret(secret, id),
    ...keyArgs(secret.key),
    lastUsedAt === null ? '' : String(lastUsedAt),
  ];
}

export function replaceArgs(
  token: StoredToken,
  expectedVersion: number,
  rotation: SecretRotation | null,
): readonly string[] {
  const { id, version } = token;
  return [
    id,
    String(expectedVersion),
    String(version),
    indexParts(token),
    writeToken(token),
    ...(rotation === null ? Array(6).fill('') : rotationArgs(rotation, id)),
  ];
}

function rotationArgs({ secret, othersEndAt, at }: SecretRotation, tokenId: string): readonly string[] {
  const times = [String(othersEndAt), String(at)];
  return [aDigest(secret.digest), writeSecret(secret, tokenId), ...keyArgs(secret.key), ...times];
}
