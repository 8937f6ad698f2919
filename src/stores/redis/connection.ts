import { PosternError } from '../../domain/errors.js';
import type { ClientPort } from './client.js';
import type { Keys } from './keys.js';
import { SCHEMA_VERSION, type Script } from './script.js';

/** So long after it has connected anew because of what a server said it stays with that one, whatever it says. Milliseconds. */
const STAY = 1_000;

/** What a script answers: a word, then what belongs to it. Redis's nil is `null`. */
export type Reply = readonly [word: string, ...rest: unknown[]];

/**
 * Sends scripts, and waits for their answers no longer than `timeout`. What a client does with a command that nobody waits for
 * any more is its own affair (most keep it, and send it when they are connected again): so each change carries the time by
 * the server's clock at which its caller gives up, and the script refuses to run later than that.
 */
export class Connection {
  readonly #client: ClientPort;
  readonly #timeout: number;
  readonly keys: Keys;
  /** The server's clock less ours, never too large. Ours is one that nobody sets. */
  #offset: number | null = null;
  #downSince: number | null = null;
  #reconnecting: Promise<void> = Promise.resolve();
  #staysUntil = 0;

  constructor(client: ClientPort, keys: Keys, timeout: number) {
    this.#client = client;
    this.keys = keys;
    this.#timeout = timeout;
  }

  /**
   * Runs a script that reads, or whose second run does no harm. Its first argument is our version of the layout.
   *
   * @throws PosternError `store_newer`, `store_invalid`; Error where Redis did not answer, or refused
   */
  run(script: Script, ...args: string[]): Promise<Reply> {
    return this.#run(script, args, performance.now() + this.#timeout);
  }

  /**
   * Runs a script that changes something, which takes the caller's deadline as its second argument and answers with its own
   * time second. Returns the word.
   */
  async change(script: Script, ...args: string[]): Promise<string> {
    const giveUpAt = performance.now() + this.#timeout;
    for (;;) {
      if (this.#offset === null) throw new Error('the clock of Redis is not known yet');
      const deadline = String(Math.floor(giveUpAt + this.#offset));
      const [word, time] = await this.#run(script, [deadline, ...args], giveUpAt);
      this.noteTime(time);
      if (word !== 'late') return word;
      // By a clock that was set forward, or another server's: measured anew, the deadline is still to come.
      if (performance.now() >= giveUpAt) throw new Error('Redis did not answer in time: nothing was changed');
    }
  }

  /** The server's time, which an answer holds that has just come. */
  noteTime(time: unknown): void {
    if (typeof time === 'string') this.#offset = Number(time) - performance.now();
  }

  async #run(script: Script, args: string[], giveUpAt: number): Promise<Reply> {
    const { all, schema } = this.keys;
    const parameters = [String(all.length), ...all, String(SCHEMA_VERSION), ...args];
    const send = (command: string, text: string) =>
      this.#withinLimit(giveUpAt, () => this.#client.send(schema, [command, text, ...parameters]));
    const evaluate = () =>
      send('EVALSHA', script.sha).catch((error: Error) => {
        if (!error.message.includes('NOSCRIPT')) throw error;
        return send('EVAL', script.source);
      });
    const reply = await evaluate().catch(async (error: Error) => {
      if (!isWrongServer(error)) throw error;
      await this.#withinLimit(giveUpAt, () => this.#reconnect());
      return evaluate();
    });
    if (!Array.isArray(reply) || typeof reply[0] !== 'string') {
      throw new PosternError(
        'store_invalid',
        'the Redis client answers with no text: leave out its options for replies',
      );
    }
    if (reply[0] === 'schema') throw foreignSchema(reply[1], schema);
    return reply as unknown as Reply;
  }

  /** Once for all calls that fail together. A server that is read-only for good is not left each time: reads go on there. */
  #reconnect(): Promise<void> {
    if (performance.now() >= this.#staysUntil) {
      this.#staysUntil = performance.now() + STAY;
      this.#reconnecting = this.#client.reconnect();
    }
    return this.#reconnecting;
  }

  async #withinLimit(giveUpAt: number, send: () => Promise<unknown>): Promise<unknown> {
    this.#assertReachable(giveUpAt);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`Redis did not answer within ${this.#timeout} ms`)),
        // Timers know whole milliseconds, and may be one too early: nobody gives up before the deadline of a change.
        Math.max(0, Math.ceil(giveUpAt - performance.now()) + 1),
      );
    });
    try {
      return await Promise.race([send(), timeout]);
    } catch (error) {
      // Not the error itself: clients put the whole command in it, with records and digests, and errors are logged.
      throw new Error(error instanceof Error ? error.message : 'Redis failed, and gave no reason');
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * A client that has been without a connection for longer than any caller waits is sent nothing: its queue would grow, and
   * each caller would wait in vain. It connects again by itself.
   */
  #assertReachable(giveUpAt: number): void {
    if (this.#client.state() !== 'down') {
      this.#downSince = null;
      return;
    }
    this.#downSince ??= giveUpAt - this.#timeout;
    if (performance.now() - this.#downSince >= this.#timeout) throw new Error('Redis can not be reached');
  }
}

/**
 * After a failover the old master goes on as a replica, and connections to it stay open. Such an answer says that nothing was
 * done: each script writes before it does anything else that could be heard of.
 */
function isWrongServer({ message }: Error): boolean {
  return /(^|-)(READONLY|LOADING|MASTERDOWN) /.test(message);
}

/** The version that was found is not ours. */
export function foreignSchema(version: unknown, key: string): PosternError {
  if (version === null) {
    return new PosternError(
      'store_invalid',
      `${key} is gone from Redis, and with it postern's data: it was flushed, evicted, or not persisted. Restore a backup; or, to begin anew, restart or call store.migrate()`,
    );
  }
  if (Number(version) > SCHEMA_VERSION) {
    return new PosternError(
      'store_newer',
      `the data in Redis was written by a newer postern (schema ${Number(version)}, this one knows ${SCHEMA_VERSION}): upgrade postern, or use another prefix`,
    );
  }
  return new PosternError(
    'store_invalid',
    `${key} in Redis holds no version of postern's: give postern another prefix`,
  );
}
