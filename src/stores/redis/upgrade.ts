import type { Connection } from './connection.js';
import { Listing } from './keys.js';
import { guarded } from './script.js';

/** The version of the layout that can be brought to ours. */
export const UPGRADABLE = '1';

/** Where the tokens begin that are still to be brought to our version. */
export const UPGRADE_START = Listing.all.first;

/** How many tokens one script takes: about a millisecond of the server's time. */
const BATCH = 100;

/**
 * Puts the next tokens into the listing by ownership, which version 1 did not have; `upgrade` is where the ones after them
 * begin. They are taken in the order of a listing, which a restart does not change (a cursor of HSCAN would be void after
 * one). What a token is in is read from its head. Its ownership, from the record: JSON of our own writing, in which no text
 * holds a quote without a `\` before it, so that what is found first is the field. A record that can't be read is left as it is.
 *
 * Arguments: where the listing ends, how many, and where ids begin.
 */
const STEP = guarded(`
local start = redis.call('GET', UPGRADE)
if not start then return {'done'} end
local members = redis.call('ZRANGEBYLEX', INDEX, start, ARGV[2], 'LIMIT', 0, ARGV[3])
for _, member in ipairs(members) do
  local id = string.sub(member, tonumber(ARGV[4]))
  local found = redis.call('HGET', TOKENS, id) or ''
  local head, parts, record = string.match(found, '^([^\\n]*\\n[^\\n]*\\n)([^\\n]*)\\n(.*)$')
  local ownership = record and string.match(record, ',"ownership":("[^"]*")')
  if ownership and not string.find('\\t' .. parts, '\\tw', 1, true) then
    local organization, time = string.match('\\t' .. parts .. '\\t', '\\to("[^\\t]*"):(%w+)\\t')
    if organization then
      local part = 'w[' .. organization .. ',' .. ownership .. ']:' .. time
      redis.call('HSET', TOKENS, id, head .. parts .. '\\t' .. part .. '\\n' .. record)
      redis.call('ZADD', INDEX, 0, part .. id)
    end
  end
end
if #members == tonumber(ARGV[3]) then
  redis.call('SET', UPGRADE, '(' .. members[#members])
  return {'more'}
end
redis.call('DEL', UPGRADE)
return {'done'}
`);

/**
 * Brings the tokens of an older version to ours, in short steps between which the server does other work. Several processes
 * that do so at once share the work; where one ends in the middle, the others or the next one go on from there.
 */
export class Upgrade {
  readonly #connection: Connection;
  #running: Promise<void> | null = null;
  #stopped = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Resolves once all tokens are of our version, or {@link stop} was called. */
  run(): Promise<void> {
    this.#running ??= this.#steps().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  /** The same, for whoever does not wait for it. Where it fails, it is resumed when a listing is next found unfinished. */
  resume(): void {
    this.run().catch(() => {});
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running?.catch(() => {});
  }

  async #steps(): Promise<void> {
    const { end, idStart } = Listing.all;
    while (!this.#stopped) {
      const [word] = await this.#connection.run(STEP, end, String(BATCH), idStart);
      if (word === 'done') return;
    }
  }
}
