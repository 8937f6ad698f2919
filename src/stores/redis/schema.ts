import { PosternError } from '../../domain/errors.js';
import type { MigrateOptions, Migration } from '../shared/migration.js';
import { type Connection, foreignSchema } from './connection.js';
import { SCHEMA_VERSION, type Script, script } from './script.js';
import { UPGRADABLE, UPGRADE_START } from './upgrade.js';

/**
 * Looks before anything is written: which policy of eviction the server has (where we may ask), whether we may publish, and
 * what is there under our names. `ARGV[2]` is the channel of the feed.
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

/** Answers with the time, the policy, the version that was found, and whether an upgrade is under way. */
const SEEN = `return {'seen', now, policy, found, redis.call('EXISTS', UPGRADE) == 1 and 'unfinished' or 'whole'}`;

const LOOK: Script = script(`${INSPECT}${SEEN}`);

/** `ARGV[3]`, `ARGV[4]`: the version that can be upgraded, and from where on its tokens are. */
const OPEN: Script = script(`${INSPECT}
if string.match(policy, '^allkeys') then ${SEEN} end
if found == ARGV[3] then redis.call('SET', UPGRADE, ARGV[4]) end
if not found or found == ARGV[3] then redis.call('SET', SCHEMA, ARGV[1]) end
${SEEN}
`);

/**
 * Makes the layout where there is none, or begins its upgrade, or says what it would do. Of several processes that do it at
 * once one does it, and the others find it done. An upgrade that was begun is finished by {@link Upgrade}, after this: the
 * layout counts as the older one until then.
 *
 * @throws PosternError `store_invalid`, `store_newer`
 */
export async function prepare(connection: Connection, { dryRun = false }: MigrateOptions = {}): Promise<Migration> {
  const { feed, schema, index } = connection.keys;
  const args = dryRun ? [feed] : [feed, UPGRADABLE, UPGRADE_START];
  const [word, time, detail, found, state] = await connection.run(dryRun ? LOOK : OPEN, ...args);
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
  if (found !== UPGRADABLE && found !== String(SCHEMA_VERSION)) throw foreignSchema(found, schema);
  if (found === UPGRADABLE || state === 'unfinished') {
    const statements = [
      ...(found === UPGRADABLE ? [`SET ${schema} ${SCHEMA_VERSION}`] : []),
      `for each token: ZADD ${index} 0 w["<organization>","<ownership>"]:<createdAt><id>`,
    ];
    return { from: Number(UPGRADABLE), to: SCHEMA_VERSION, statements };
  }
  return { from: SCHEMA_VERSION, to: SCHEMA_VERSION, statements: [] };
}

function invalid(message: string): PosternError {
  return new PosternError('store_invalid', message);
}
