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

/**
 * The beginning of every change. `ARGV[2]`: the caller's deadline by the server's clock; `[3]`, `[4]`: the id of the change and
 * its audit entry; `[5]` to `[7]`: its places in the listings; `[8]`, `[9]`: channel and message, or `''`. The script's own
 * arguments begin at `[10]`.
 *
 * A client may send a script again if its reply was lost with the connection: then the audit entry shows that it has run. Or it
 * may send it after its caller has given up: then it is too late. A script calls `begin` after its last check. `begin` publishes
 * first, so that a user without that right fails before anything is written. (Subscribers get nothing before the script ends.)
 */
const CHANGE = `
${CLOCK}
local earlier = redis.call('HGET', CHANGES, ARGV[3])
if earlier == ARGV[4] then return {'done', now} end
if earlier then return {'taken', now} end
if tonumber(now) >= tonumber(ARGV[2]) then return {'late', now} end
local function begin()
  if ARGV[9] ~= '' then redis.call('PUBLISH', ARGV[8], redis.call('INCR', SEQ) .. ' ' .. ARGV[9]) end
  redis.call('HSET', CHANGES, ARGV[3], ARGV[4])
  redis.call('ZADD', LOG, 0, ARGV[5], 0, ARGV[6], 0, ARGV[7])
end
`;

/** A script that runs on our layout only. */
export function guarded(body: string): Script {
  return script(GUARD + body);
}

/** The same for a change. */
export function changing(body: string): Script {
  return guarded(CHANGE + body);
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
