import type { DailyCount, Usage, UsageCount } from '../../ports/records.js';
import type { DailyUsageQuery } from '../../ports/store.js';
import type { Connection } from './connection.js';
import { PLACE_WIDTH } from './keys.js';
import { guarded, timed } from './script.js';

/** The most tokens in one script. The server does nothing else meanwhile. */
const CHUNK = 500;

/** Takes the deadline, and the uses as JSON: `[id, last use, [[endpoint, count, day, scope], …]]`, all of it text. */
const RECORD = timed(`
if tonumber(now) >= tonumber(ARGV[2]) then return {'late', now} end
local function later(a, b) return a and tonumber(a) > tonumber(b) and a or b end
local function sum(a, b) return string.format('%.0f', tonumber(a or '0') + tonumber(b)) end
local daily = {}
local function note(subject, each)
  local days = daily[subject] or {}
  daily[subject] = days
  local day, key = each[3], each[1] .. '\\n' .. each[4]
  days[day] = days[day] or {}
  days[day][key] = sum(days[day][key], each[2])
end
for _, usage in ipairs(cjson.decode(ARGV[3])) do
  local id, used, counts = usage[1], usage[2], usage[3]
  local token = redis.call('HGET', TOKENS, id)
  if token then
    local parts = string.match(token, '^[^\\n]*\\n[^\\n]*\\n([^\\n]*)')
    local organization
    for part in string.gmatch(parts or '', '[^\\t]+') do
      if string.sub(part, 1, 1) == 'o' then organization = string.sub(part, 2, -${PLACE_WIDTH} - 1) end
    end
    redis.call('HSET', USED, id, later(redis.call('HGET', USED, id), used))
    if #counts > 0 then
      local all = cjson.decode(redis.call('HGET', COUNTS, id) or '{}')
      for _, each in ipairs(counts) do
        local before = all[each[1]] or {'0', used}
        all[each[1]] = {sum(before[1], each[2]), later(before[2], used)}
        note('t' .. id, each)
        if organization then note('o' .. organization, each) end
      end
      redis.call('HSET', COUNTS, id, cjson.encode(all))
    end
  end
end
for subject, days in pairs(daily) do
  for day, counts in pairs(days) do
    local field = day .. ':' .. subject
    local found = redis.call('HGET', DAILY, field)
    if not found then redis.call('HSET', DAYS, subject, (redis.call('HGET', DAYS, subject) or '') .. ' ' .. day) end
    local all = found and cjson.decode(found) or {}
    for key, count in pairs(counts) do all[key] = sum(all[key], count) end
    redis.call('HSET', DAILY, field, cjson.encode(all))
  end
end
return {'done', now}
`);

/** Takes a name, the first and the last day, and a size. Returns counts until they have this size, and whether those are all. */
const DAILY_OF = guarded(`
local days = {}
for day in string.gmatch(redis.call('HGET', DAYS, ARGV[2]) or '', '%S+') do
  if tonumber(day) >= tonumber(ARGV[3]) and tonumber(day) <= tonumber(ARGV[4]) then table.insert(days, tonumber(day)) end
end
table.sort(days)
local found, size = {}, 0
for index, day in ipairs(days) do
  local text = string.format('%.0f', day)
  local counts = redis.call('HGET', DAILY, text .. ':' .. ARGV[2]) or '{}'
  table.insert(found, text)
  table.insert(found, counts)
  size = size + #counts
  if size >= tonumber(ARGV[5]) and index < #days then return {'more', found} end
end
return {'all', found}
`);

/** Takes the position of a scan, the first day to keep, and how many names to look at. Returns the next position. */
const TRIM = guarded(`
local scanned = redis.call('HSCAN', DAYS, ARGV[2], 'COUNT', ARGV[4])
for i = 1, #scanned[2], 2 do
  local subject, kept = scanned[2][i], ''
  for day in string.gmatch(scanned[2][i + 1], '%S+') do
    if tonumber(day) < tonumber(ARGV[3]) then redis.call('HDEL', DAILY, day .. ':' .. subject) else kept = kept .. ' ' .. day end
  end
  if kept == '' then redis.call('HDEL', DAYS, subject) elseif kept ~= scanned[2][i + 1] then redis.call('HSET', DAYS, subject, kept) end
end
return {'next', scanned[1]}
`);

const COUNTS_OF = guarded(`return {'found', redis.call('HMGET', COUNTS, unpack(ARGV, 2))}`);

/** The script's arguments. They are made before anything is written, so an unreadable batch counts nothing. */
export function prepareUsage(usages: readonly Usage[]): readonly string[] {
  const rows = usages.map(({ tokenId, lastUsedAt, counts }) => [
    wellFormed(tokenId),
    String(lastUsedAt),
    counts.map(({ day, endpoint, scope, count }) => [
      wellFormed(endpoint),
      String(count),
      String(day),
      wellFormed(scope),
    ]),
  ]);
  const chunks: string[] = [];
  for (let start = 0; start < rows.length; start += CHUNK)
    chunks.push(JSON.stringify(rows.slice(start, start + CHUNK)));
  return chunks;
}

export async function recordUsage(connection: Connection, chunks: readonly string[]): Promise<void> {
  for (const chunk of chunks) await connection.change(RECORD, chunk);
}

export async function listUsage(
  connection: Connection,
  tokenIds: readonly string[],
  only: string | undefined,
): Promise<readonly UsageCount[]> {
  if (tokenIds.length === 0) return [];
  const [, found] = await connection.run(COUNTS_OF, ...tokenIds);
  return tokenIds.flatMap((tokenId, index) => {
    const counts = JSON.parse((found as (string | null)[])[index] ?? '{}') as Record<string, [string, string]>;
    return Object.entries(counts)
      .filter(([endpoint]) => only === undefined || endpoint === only)
      .map(([endpoint, [count, lastUsedAt]]) => {
        return { tokenId, endpoint, count: Number(count), lastUsedAt: Number(lastUsedAt) };
      })
      .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
  });
}

/** The size of the counts that one script returns, in bytes. */
const DAILY_SIZE = 65_536;

export async function listDailyUsage(connection: Connection, query: DailyUsageQuery): Promise<readonly DailyCount[]> {
  const { of, to, after, limit } = query;
  const subject = 'token' in of ? `t${wellFormed(of.token)}` : `o${JSON.stringify(of.organization)}`;
  const counts: DailyCount[] = [];
  let from = Math.max(query.from, after?.day ?? query.from);
  for (;;) {
    const [word, found] = await connection.run(DAILY_OF, subject, String(from), String(to), String(DAILY_SIZE));
    const texts = found as string[];
    for (let index = 0; index < texts.length; index += 2) {
      const day = Number(texts[index]);
      const ofDay = countsOf(day, texts[index + 1] as string);
      counts.push(...(day === after?.day ? ofDay.filter((count) => isAfter(count, after)) : ofDay));
      from = day + 1;
    }
    if (word === 'all' || counts.length >= limit) return counts.slice(0, limit);
  }
}

function countsOf(day: number, json: string): DailyCount[] {
  return Object.entries(JSON.parse(json) as Record<string, string>)
    .map(([key, count]) => {
      const [endpoint = '', scope = ''] = key.split('\n', 2);
      return { day, endpoint, scope, count: Number(count) };
    })
    .sort((a, b) => (isAfter(a, b) ? 1 : -1));
}

/** By code unit, within one day. */
function isAfter(a: DailyCount, b: DailyCount): boolean {
  return a.endpoint === b.endpoint ? a.scope > b.scope : a.endpoint > b.endpoint;
}

/** Trims in small scans. It begins again where the last one stopped. */
export class DailyTrimming {
  #position = '0';

  async trim(connection: Connection, before: number, limit: number): Promise<boolean> {
    const [, next] = await connection.run(TRIM, this.#position, String(before), String(limit));
    this.#position = String(next);
    return this.#position !== '0';
  }
}

/** Lua's JSON fails at half a surrogate pair. No existing token has such an id. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}
