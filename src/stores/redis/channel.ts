import type { Channel, Line, LineEvents } from '../shared/feed/channel.js';
import { decode, encode, type Message } from '../shared/feed/message.js';
import type { ClientPort } from './client.js';
import type { Connection } from './connection.js';
import { guarded, type Script, timed } from './script.js';

/** Each message carries the number of the last change, so that a process notices a missed one. */
const PUBLISH = `redis.call('PUBLISH', ARGV[2], (redis.call('GET', SEQ) or '0') .. ' ' .. ARGV[3])`;

/** Takes lifetime and instance: `ARGV` from this index on. */
const enter = (first: number) =>
  `redis.call('ZADD', LIVE, string.format('%.0f', tonumber(now) + ARGV[${first}]), ARGV[${first + 1}])`;

const ENTER = timed(`${enter(2)} return {'done', now}`);

/** Takes channel, message, lifetime or 0, instance. */
const SEND = timed(`
if ARGV[4] ~= '0' then ${enter(4)} end
${PUBLISH}
return {'done', now}
`);

const LEAVE = guarded(`redis.call('ZREM', LIVE, ARGV[2]) return {'done'}`);

/** Takes channel and question. Returns the listening processes. */
const ASK = timed(`
redis.call('ZREMRANGEBYSCORE', LIVE, '-inf', now)
${PUBLISH}
return {'live', redis.call('ZRANGE', LIVE, 0, -1)}
`);

/** One Redis channel for changes and questions, one for each process, and a sorted set of listening processes. */
export class RedisChannel implements Channel {
  readonly silence = 'the feed is silent: its own messages do not come back';
  readonly #client: ClientPort;
  readonly #connection: Connection;
  readonly #instance: string;
  readonly #timeout: number;

  /** @param timeout how long a line may take to open, in milliseconds */
  constructor(client: ClientPort, connection: Connection, instance: string, timeout: number) {
    this.#client = client;
    this.#connection = connection;
    this.#instance = instance;
    this.#timeout = timeout;
  }

  open(events: LineEvents): Line {
    const { keys } = this.#connection;
    let isOver = false;
    const close = () => {
      isOver = true;
      clearTimeout(timer);
      end();
    };
    const ended = (error: unknown) => {
      if (isOver) return;
      close();
      events.ended(error);
    };
    const timer = setTimeout(() => ended(new Error(`no subscription in ${this.#timeout} ms`)), this.#timeout);
    timer.unref?.();
    const end = this.#client.subscribe([keys.feed, keys.channelOf(this.#instance)], {
      opened: () => {
        clearTimeout(timer);
        if (!isOver) events.opened();
      },
      message: (_channel, text) => {
        const [, sequence, message] = /^(\d+) (.*)$/s.exec(text) ?? [];
        // A message without a number is not ours.
        if (!isOver && message !== undefined) events.heard(decode(message), Number(sequence));
      },
      ended,
    });
    return {
      close,
      send: async (message, to, lifetime) => {
        const args = [keys.channelOf(to), encode(message), String(lifetime), this.#instance];
        await this.#timed(SEND, ...args);
      },
    };
  }

  enter(lifetime: number): Promise<void> {
    return this.#timed(ENTER, String(lifetime), this.#instance);
  }

  async leave(): Promise<void> {
    await this.#connection.run(LEAVE, this.#instance);
  }

  async ask(question: Message): Promise<readonly string[]> {
    const [, live] = await this.#connection.run(ASK, this.#connection.keys.feed, encode(question));
    return live as string[];
  }

  async #timed(script: Script, ...args: string[]): Promise<void> {
    const [, time] = await this.#connection.run(script, ...args);
    this.#connection.noteTime(time);
  }
}
