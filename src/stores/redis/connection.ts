import { PosternError } from '../../domain/errors.js';
import type { ClientPort } from './client.js';
import type { Keys } from './keys.js';
import { SCHEMA_VERSION, type Script } from './script.js';

/** After it has connected again because of a server's error, it stays with the new server for this time. Milliseconds. */
const STAY = 1_000;

/** A script's reply: a word, then its values. Redis's nil is `null`. */
export type Reply = readonly [word: string, ...rest: unknown[]];

/**
 * Sends scripts, and waits for their replies no longer than `timeout`. Most clients keep a command whose caller has given up, and
 * send it when they are connected again. So each change carries its caller's deadline by the server's clock, and the script
 * refuses to run after that.
 */
export class Connection {
  readonly #client: ClientPort;
  readonly #timeout: number;
  readonly keys: Keys;
  /** The server's clock minus our monotonic clock, never too large. */
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
   * Runs a script that only reads, or is safe to run twice. The script's first argument is our version of the layout.
   *
   * @throws PosternError `store_newer`, `store_invalid`; Error if Redis did not answer, or refused
   */
  run(script: Script, ...args: string[]): Promise<Reply> {
    return this.#run(script, args, performance.now() + this.#timeout);
  }

  /**
   * Runs a script that changes something. The script's second argument is the caller's deadline; the second value of its reply is
   * the server's time.
   */
  async change(script: Script, ...args: string[]): Promise<Reply> {
    const giveUpAt = performance.now() + this.#timeout;
    for (;;) {
      if (this.#offset === null) throw new Error('the clock of Redis is not known yet');
      const deadline = String(Math.floor(giveUpAt + this.#offset));
      const reply = await this.#run(script, [deadline, ...args], giveUpAt);
      this.noteTime(reply[1]);
      if (reply[0] !== 'late') return reply;
      // Too late by a clock that was set forward, or by another server's. By the new measurement there is time left.
      if (performance.now() >= giveUpAt) throw new Error('Redis did not answer in time: nothing was changed');
    }
  }

  /** Notes the server's time from a reply that has just arrived. */
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
        'the Redis client does not return replies as text: leave out its options for replies',
      );
    }
    if (reply[0] === 'schema') throw foreignSchema(reply[1], schema);
    return reply as unknown as Reply;
  }

  /** Reconnects once for all calls that fail together. A server that stays read-only is kept for a while, so reads go on. */
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
        // Timers have whole milliseconds, and may be one too early. No caller may give up before the deadline of its change.
        Math.max(0, Math.ceil(giveUpAt - performance.now()) + 1),
      );
    });
    try {
      return await Promise.race([send(), timeout]);
    } catch (error) {
      // Only the message: clients put the whole command into their errors, with records and digests, and errors are logged.
      throw new Error(error instanceof Error ? error.message : 'Redis failed, and gave no reason');
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Sends nothing to a client that has been without a connection for longer than any caller waits: its queue would grow, and
   * each caller would wait in vain. The client connects again by itself.
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
 * After a failover the old master becomes a replica, and connections to it stay open. Such an error means that nothing was done:
 * in each script, a write comes before any other visible effect.
 */
function isWrongServer({ message }: Error): boolean {
  return /(^|-)(READONLY|LOADING|MASTERDOWN) /.test(message);
}

/** The error for a layout of another version. */
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
    `${key} in Redis does not hold a version of postern: give postern another prefix`,
  );
}
