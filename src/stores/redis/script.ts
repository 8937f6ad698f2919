import { createHash } from 'node:crypto';
import { KEY_LOCALS } from './keys.js';

/** A Lua script, which a server runs as one step. */
export interface Script {
  readonly sha: string;
  readonly source: string;
}

/** The version of the layout that this library writes. */
export const SCHEMA_VERSION = 1;

/**
 * Refuses to touch data of another layout, and data that is gone: a Redis that lost it must not answer that good tokens are
 * unknown. `ARGV[1]` is our version.
 */
const GUARD = `
local schema = redis.call('GET', SCHEMA)
if schema ~= ARGV[1] then return {'schema', schema} end
`;

/** `now`: the server's time in milliseconds, as digits: Lua would print a number with 14 of them at most. */
const CLOCK = `
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
`;

/**
 * What every change begins with. `ARGV[2]`: when the caller has given up, by the server's clock; `[3]`, `[4]`: the id of
 * the change and its audit entry; `[5]` to `[7]`: where it stands in the listings; `[8]`, `[9]`: channel and message, or
 * `''`. What the script itself takes begins at `[10]`.
 *
 * A client may send a script again whose answer was lost with the connection: the audit entry shows that it has run. Or it
 * sends it when the connection is back, to nobody who still waits: then it is too late. `begin` is called once nothing can
 * refuse any more. It publishes first: what a user of the server may be forbidden then fails before anything is written.
 * (Subscribers are sent nothing before the script has ended.)
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

/** A script that works on our layout only. */
export function guarded(body: string): Script {
  return script(GUARD + body);
}

/** The same, which changes something. */
export function changing(body: string): Script {
  return guarded(CHANGE + body);
}

/** The same with the time, as `now`. */
export function timed(body: string): Script {
  return guarded(CLOCK + body);
}

/** A script that looks at the layout itself. */
export function script(body: string): Script {
  const source = `${KEY_LOCALS}\n${body}`;
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
