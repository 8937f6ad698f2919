import { PosternError } from '../../domain/errors.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import { type Connection, foreignSchema } from './connection.js';
import { SCHEMA_VERSION, type Script, script } from './script.js';

/**
 * Checks the server before anything is written: its eviction policy (if we may ask), the right to publish, and existing data under
 * our keys. `ARGV[2]` is the channel of the feed.
 */
const INSPECT = `
local clock = redis.call('TIME')
local now = string.format('%.0f', clock[1] * 1000 + math.floor(clock[2] / 1000))
local info = redis.pcall('INFO', 'memory')
local policy = type(info) == 'string' and string.match(info, 'maxmemory_policy:(%S+)') or ''
local found = redis.call('GET', SCHEMA)
if not found then
  for i = 2, #KEYS do if redis.call('EXISTS', KEYS[i]) == 1 then found = 'none' end end
end
local published = redis.pcall('PUBLISH', ARGV[2], '')
if type(published) == 'table' and published.err then return {'forbidden', now, published.err} end
`;

/** Returns the time, the policy, and the version found. */
const LOOK: Script = script(`${INSPECT}return {'seen', now, policy, found}`);

const OPEN: Script = script(`${INSPECT}
if not found and not string.match(policy, '^allkeys') then redis.call('SET', SCHEMA, ARGV[1]) end
return {'seen', now, policy, found}
`);

/**
 * Makes the layout if there is none, or returns the work that it would do. If several processes do this at once, one does the
 * work, and the others find it done.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export async function prepare(connection: Connection, { dryRun = false }: MigrateOptions = {}): Promise<Migration> {
  const { feed, schema } = connection.keys;
  const [word, time, detail, found] = await connection.run(dryRun ? LOOK : OPEN, feed);
  if (word === 'forbidden') {
    throw invalid(
      `this user of Redis may not publish to ${feed} (${detail}): allow it (&${feed.replace(/feed$/, '*')})`,
    );
  }
  connection.noteTime(time);
  if (String(detail).startsWith('allkeys')) {
    throw invalid(
      `this Redis drops keys when its memory is full (maxmemory-policy ${detail}), tokens and revocations too: set it to noeviction`,
    );
  }
  if (found === null) {
    return { from: 0, to: SCHEMA_VERSION, statements: [`SET ${schema} ${SCHEMA_VERSION}`] };
  }
  if (found !== String(SCHEMA_VERSION)) throw foreignSchema(found, schema);
  return { from: SCHEMA_VERSION, to: SCHEMA_VERSION, statements: [] };
}

function invalid(message: string): PosternError {
  return new PosternError('store_invalid', message);
}
