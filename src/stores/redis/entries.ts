import { randomUUID } from 'node:crypto';
import type { StoredEntry } from '../../ports/records.js';
import type { Connection } from './connection.js';
import { guarded, timed } from './script.js';

/**
 * How long an ended entry is kept, in milliseconds, by the server's clock and by the writer's: for a process with a slow clock it
 * has not ended yet.
 */
const SLACK = 300_000;
/** The most ended entries that a write removes. It is more than a write adds, so they never pile up. */
const REMOVED = 16;
/** The most entries that one trimming script removes. */
const TRIMMED_AT_ONCE = 500;

const NONE = '-';

const FIND = guarded(`return {'found', redis.call('HMGET', ENTRIES, unpack(ARGV, 2))}`);

/**
 * A client may send a write twice. Entries are not in the audit log, so `recent` keeps the name of each write until its caller's
 * deadline; after that the write is refused as late. No key has a time to live, because Redis may be set to drop such keys early.
 *
 * `ARGV[2]`: the caller's deadline by the server's clock; `[3]`: the name of this write; `[4]`: kind and id; `[5]`: the expected
 * version, 0 for none; `[6]`: the time by the caller's clock.
 */
const WRITE = `
local name, field, expected, callersNow = unpack(ARGV, 3, 6)
if redis.call('ZSCORE', RECENT, name) then return {'done', now} end
if tonumber(now) >= tonumber(ARGV[2]) then return {'late', now} end
local found = redis.call('HGET', ENTRIES, field)
local version, endsAt = '0', nil
if found then version, endsAt = string.match(found, '^(%d+)\\n([-%d]+)\\n') end
if endsAt and endsAt ~= '${NONE}' and tonumber(endsAt) <= tonumber(callersNow) then version = '0' end
if version ~= expected then return {'refused', now} end
redis.call('ZREMRANGEBYSCORE', RECENT, '-inf', '(' .. now)
redis.call('ZADD', RECENT, ARGV[2], name)
`;

/** `trim` removes entries that ended long ago by both clocks, and returns the number. */
const TRIMMING = `
local function trim(callersNow, limit)
  local ended = string.format('%.0f', math.min(tonumber(now), tonumber(callersNow)) - ${SLACK})
  local fields = redis.call('ZRANGEBYSCORE', ENDS, '-inf', ended, 'LIMIT', 0, limit)
  for _, each in ipairs(fields) do
    redis.call('HDEL', ENTRIES, each)
    redis.call('ZREM', ENDS, each)
  end
  return #fields
end
`;

const TRIM = timed(`${TRIMMING} return {'trimmed', trim(ARGV[2], ARGV[3])}`);

/** After the arguments of `WRITE`: the record, and its end or `-`. */
const PUT = timed(`${WRITE}${TRIMMING}
trim(callersNow, ${REMOVED})
redis.call('HSET', ENTRIES, field, ARGV[7])
if ARGV[8] == '${NONE}' then redis.call('ZREM', ENDS, field) else redis.call('ZADD', ENDS, ARGV[8], field) end
return {'done', now}
`);

/** Never called for version 0: there is no such entry. */
const DELETE = timed(`${WRITE}
redis.call('HDEL', ENTRIES, field)
redis.call('ZREM', ENDS, field)
return {'done', now}
`);

/** @throws Error for a damaged entry: it must not look like a missing one */
export async function findEntries(
  connection: Connection,
  kind: string,
  ids: readonly string[],
  now: number,
): Promise<readonly StoredEntry[]> {
  if (ids.length === 0) return [];
  const wanted = [...new Set(ids)];
  const [, found] = await connection.run(FIND, ...wanted.map((id) => fieldOf(kind, id)));
  return wanted.flatMap((id, index) => readEntry(kind, id, (found as (string | null)[])[index] ?? null, now) ?? []);
}

function readEntry(kind: string, id: string, found: string | null, now: number): StoredEntry | null {
  if (found === null) return null;
  const [, version, end, value] = /^(\d+)\n(-|-?\d+)\n(.*)$/s.exec(found) ?? [];
  if (version === undefined)
    throw new Error(`the entry ${id} of ${kind} in Redis was changed by hand: delete it there`);
  const expiresAt = end === NONE ? null : Number(end);
  if (expiresAt !== null && expiresAt <= now) return null;
  return { kind, id, value: value as string, expiresAt, version: Number(version) };
}

export async function putEntry(
  connection: Connection,
  { kind, id, value, expiresAt, version }: StoredEntry,
  expectedVersion: number,
  now: number,
): Promise<boolean> {
  const end = expiresAt === null ? NONE : String(expiresAt);
  const args = writeArgs(kind, id, expectedVersion, now);
  const [word] = await connection.change(PUT, ...args, `${version}\n${end}\n${value}`, end);
  return word === 'done';
}

export async function deleteEntry(
  connection: Connection,
  kind: string,
  id: string,
  expectedVersion: number,
  now: number,
): Promise<boolean> {
  if (expectedVersion === 0) return false;
  const [word] = await connection.change(DELETE, ...writeArgs(kind, id, expectedVersion, now));
  return word === 'done';
}

/** Removes some at a time, because the server does nothing else meanwhile. */
export async function trimEntries(connection: Connection, now: number, limit: number): Promise<number> {
  let trimmed = 0;
  while (trimmed < limit) {
    const size = Math.min(TRIMMED_AT_ONCE, limit - trimmed);
    const [, count] = await connection.run(TRIM, String(now), String(size));
    trimmed += Number(count);
    if (Number(count) < size) break;
  }
  return trimmed;
}

function writeArgs(kind: string, id: string, expectedVersion: number, now: number): readonly string[] {
  return [randomUUID(), fieldOf(kind, id), String(expectedVersion), String(now)];
}

/** A kind never holds a `:`. */
function fieldOf(kind: string, id: string): string {
  return `${kind}:${id}`;
}
