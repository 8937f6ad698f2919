import { randomUUID } from 'node:crypto';
import type { Usage, UsageCount } from '../../ports/records.js';
import type { Connection } from './connection.js';
import { Credit, copyOf } from './credit.js';
import { guarded, timed } from './script.js';

/** How many tokens one script takes: the server does nothing else meanwhile. */
const CHUNK = 500;
/** How long it is remembered that a batch was written, in milliseconds. Longer than any outage that is sat through. */
const REMEMBERED = 7 * 86_400_000;

/** Deadline, id of the batch, the batch as JSON: `[id, last use, [[endpoint, count], …]]`, all of it text. */
const RECORD = timed(`
if redis.call('ZSCORE', BATCHES, ARGV[3]) then return {'done', now} end
if tonumber(now) >= tonumber(ARGV[2]) then return {'late', now} end
redis.call('ZADD', BATCHES, now, ARGV[3])
redis.call('ZREMRANGEBYSCORE', BATCHES, '-inf', string.format('%.0f', tonumber(now) - ${REMEMBERED}))
local function later(a, b) return a and tonumber(a) > tonumber(b) and a or b end
for _, usage in ipairs(cjson.decode(ARGV[4])) do
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

const WAS_WRITTEN = guarded(`return {redis.call('ZSCORE', BATCHES, ARGV[2]) and 'yes' or 'no'}`);

const COUNTS_OF = guarded(`return {'found', redis.call('HGET', COUNTS, ARGV[2])}`);

/**
 * Writes batches of uses, one after the other. A batch that was rejected is handed in again whole; but where the answer was lost
 * with the connection, it may have been written. It is found out, before the next one is written, whether it was; and what
 * was is then left out.
 */
export class UsageWriter {
  readonly #connection: Connection;
  readonly #credit = new Credit();
  /** What was sent last, while nothing is known of it. */
  #doubtful: { readonly batch: string; readonly usages: readonly Usage[] } | null = null;
  #queue: Promise<void> = Promise.resolve();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** @param ready resolves once the store is open */
  async record(usages: readonly Usage[], ready: () => Promise<void>): Promise<void> {
    // Read whole before anything is written: a batch that can't be read counts nothing.
    const batch = usages.map(copyOf);
    await ready();
    const written = this.#queue.then(() => this.#write(batch));
    this.#queue = written.catch(() => {});
    return written;
  }

  async #write(batch: readonly Usage[]): Promise<void> {
    await this.#settle();
    const { due, used } = this.#credit.applyTo(batch);
    const written: Usage[] = [];
    try {
      for (let start = 0; start < due.length; start += CHUNK) {
        const chunk = due.slice(start, start + CHUNK);
        await this.#send(chunk);
        written.push(...chunk);
      }
    } catch (error) {
      this.#credit.add(written);
      throw error;
    }
    this.#credit.take(used);
  }

  async #send(usages: readonly Usage[]): Promise<void> {
    const batch = randomUUID();
    const json = JSON.stringify(
      usages.map(({ tokenId, lastUsedAt, counts }) => [
        tokenId,
        String(lastUsedAt),
        counts.map(({ endpoint, count }) => [endpoint, String(count)]),
      ]),
    );
    this.#doubtful = { batch, usages };
    await this.#connection.change(RECORD, batch, json);
    this.#doubtful = null;
  }

  /** Its deadline is over by now: what was not written yet never will be. */
  async #settle(): Promise<void> {
    if (this.#doubtful === null) return;
    const { batch, usages } = this.#doubtful;
    const [word] = await this.#connection.run(WAS_WRITTEN, batch);
    if (word === 'yes') this.#credit.add(usages);
    this.#doubtful = null;
  }
}

export async function listUsage(connection: Connection, tokenId: string): Promise<readonly UsageCount[]> {
  const [, found] = await connection.run(COUNTS_OF, tokenId);
  if (found === null) return [];
  const counts = Object.entries(JSON.parse(found as string) as Record<string, [string, string]>);
  return counts
    .map(([endpoint, [count, lastUsedAt]]) => ({
      tokenId,
      endpoint,
      count: Number(count),
      lastUsedAt: Number(lastUsedAt),
    }))
    .sort((a, b) => (a.endpoint < b.endpoint ? -1 : 1));
}
