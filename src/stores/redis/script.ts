import { createHash } from 'node:crypto';
import { KEY_LOCALS } from './keys.js';

/** A Lua script. A server runs it as one atomic step. */
export interface Script {
  readonly sha: string;
  readonly source: string;
}

/** The version of the layout that this library writes. */
export const SCHEMA_VERSION = 1;

/**
 * Refuses to run on data of another layout, or if the data is gone: a Redis that lost its data must not report good tokens as
 * unknown. `ARGV[1]` is our version.
 */
const GUARD = `
local schema = redis.call('GET', SCHEMA)
if schema ~= ARGV[1] then return {'schema', schema} end
`;

/** `now`: the server's time in milliseconds, as digits, because Lua prints a number with at most 14 digits. */
const CLOCK = `
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
`;

/** The number of arguments that describe a change. */
const CHANGE_SIZE = 7;

/**
 * `begin` writes a change to the log, and tells of it. Its arguments, from `ARGV[at]`: its id and its audit entry; three places in
 * the listings; channel and message, or `''`. It publishes first, so that a user without that right fails before anything is
 * written. (Subscribers get nothing before the script ends.)
 */
const BEGIN = `
local function begin(at)
  local id, entry, all, organization, subject, channel, message = unpack(ARGV, at, at + ${CHANGE_SIZE - 1})
  if message ~= '' then redis.call('PUBLISH', channel, redis.call('INCR', SEQ) .. ' ' .. message) end
  redis.call('HSET', CHANGES, id, entry)
  redis.call('ZADD', LOG, 0, all, 0, organization, 0, subject)
end
`;

/**
 * The beginning of a script that makes changes. `ARGV[2]`: the caller's deadline by the server's clock. From `[3]`: for each change
 * the arguments of `begin`, then `size` of its own. The script's `make` gets the position of the former; it calls `begin` after its
 * last check, and returns whether it has made the change.
 *
 * A client may send a script again if its reply was lost with the connection: then the log shows that it has run, and which changes
 * it has made. Or it may send it after its caller has given up: then it is too late.
 */
const changes = (size: number, make: string) => `
${CLOCK}${BEGIN}
local function make(at)
${make}
end
local step = ${CHANGE_SIZE + size}
local answers, hasRun = {}, false
for at = 3, #ARGV, step do
  local earlier = redis.call('HGET', CHANGES, ARGV[at])
  if earlier and earlier ~= ARGV[at + 1] then return {'taken', now} end
  if earlier then hasRun = true end
  table.insert(answers, earlier and '1' or '0')
end
if hasRun then return {'done', now, answers} end
if tonumber(now) >= tonumber(ARGV[2]) then return {'late', now} end
for index = 1, #answers do
  if make(3 + (index - 1) * step) then answers[index] = '1' end
end
return {'done', now, answers}
`;

/** A script that runs on our layout only. */
export function guarded(body: string): Script {
  return script(GUARD + body);
}

/**
 * The same for changes.
 *
 * @param names of the arguments of one change
 * @param make the body of the function that makes it
 * @param functions that it calls
 */
export function changing(names: readonly string[], make: string, functions = ''): Script {
  const size = names.length;
  const first = `at + ${CHANGE_SIZE}`;
  const own = `local ${names.join(', ')} = unpack(ARGV, ${first}, ${first} + ${size - 1})`;
  return guarded(functions + changes(size, `${own}\n${make}`));
}

/** The same with the time, as `now`. */
export function timed(body: string): Script {
  return guarded(CLOCK + body);
}

/** A script that checks the layout itself. */
export function script(body: string): Script {
  const source = `${KEY_LOCALS}\n${body}`;
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
