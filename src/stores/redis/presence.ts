import type { Connection } from './connection.js';
import { guarded, timed } from './script.js';

/** Channel, number of the heartbeat, who listens here or `''`, for how long that holds. */
const BEAT = timed(`
if ARGV[4] ~= '' then redis.call('ZADD', LIVE, string.format('%.0f', tonumber(now) + ARGV[5]), ARGV[4]) end
redis.call('PUBLISH', ARGV[2], '{"beat":' .. ARGV[3] .. ',"sequence":' .. (redis.call('GET', SEQ) or '0') .. '}')
return {'done', now}
`);

const LEAVE = guarded(`
redis.call('ZREM', LIVE, ARGV[2])
return {'done'}
`);

/** Channel, question. Answers with who listens. */
const ASK = timed(`
redis.call('ZREMRANGEBYSCORE', LIVE, '-inf', now)
redis.call('PUBLISH', ARGV[2], (redis.call('GET', SEQ) or '0') .. ' ' .. ARGV[3])
return {'live', redis.call('ZRANGE', LIVE, 0, -1)}
`);

/** A process that listens. */
export interface Presence {
  readonly instance: string;
  /** For how long it counts as alive after a heartbeat, in milliseconds. */
  readonly lifetime: number;
}

/** Publishes a heartbeat to this process itself. `null`: nobody listens here, and nobody need wait for us. */
export async function beat(
  connection: Connection,
  channel: string,
  number: number,
  who: Presence | null,
): Promise<void> {
  const presence = who === null ? ['', '0'] : [who.instance, String(who.lifetime)];
  const [, time] = await connection.run(BEAT, channel, String(number), ...presence);
  connection.noteTime(time);
}

export async function leave(connection: Connection, instance: string): Promise<void> {
  await connection.run(LEAVE, instance);
}

/** Asks all who listen to answer, and says who they are. */
export async function ask(connection: Connection, request: string, answerTo: string): Promise<readonly string[]> {
  const [, live] = await connection.run(ASK, connection.keys.feed, JSON.stringify({ ask: request, to: answerTo }));
  return live as string[];
}
