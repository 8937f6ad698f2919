import type { Usage, UsageCount } from '../../ports/records.js';
import type { Connection } from './connection.js';
import { guarded, timed } from './script.js';

/** The most tokens in one script. The server does nothing else meanwhile. */
const CHUNK = 500;

/** Takes the deadline, and the uses as JSON: `[id, last use, [[endpoint, count], …]]`, all of it text. */
const RECORD = timed(`
if tonumber(now) >= tonumber(ARGV[2]) then return {'late', now} end
local function later(a, b) return a and tonumber(a) > tonumber(b) and a or b end
for _, usage in ipairs(cjson.decode(ARGV[3])) do
  local id, used, counts = usage[1], usage[2], usage[3]
  if redis.call('HEXISTS', TOKENS, id) == 1 then
    redis.call('HSET', USED, id, later(redis.call('HGET', USED, id), used))
    if #counts > 0 then
      local all = cjson.decode(redis.call('HGET', COUNTS, id) or '{}')
      for _, each in ipairs(counts) do
        local before = all[each[1]] or {'0', used}
        all[each[1]] = {string.format('%.0f', tonumber(before[1]) + tonumber(each[2])), later(before[2], used)}
      end
      redis.call('HSET', COUNTS, id, cjson.encode(all))
    end
  end
end
return {'done', now}
`);

const COUNTS_OF = guarded(`return {'found', redis.call('HMGET', COUNTS, unpack(ARGV, 2))}`);

/** The script's arguments. They are made before anything is written, so an unreadable batch counts nothing. */
export function prepareUsage(usages: readonly Usage[]): readonly string[] {
  const rows = usages.map(({ tokenId, lastUsedAt, counts }) => [
    wellFormed(tokenId),
    String(lastUsedAt),
    counts.map(({ endpoint, count }) => [wellFormed(endpoint), String(count)]),
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

/** Lua's JSON fails at half a surrogate pair. No existing token has such an id. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}
