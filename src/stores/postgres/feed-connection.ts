import type { PgQuery } from './client.js';
import type { PgListener } from './connections.js';
import { within } from './deadline.js';
import { decode, encodePing, type Message } from './message.js';

/** One connection that listens, from its first moment to its end. */
export class FeedConnection {
  readonly #listener: PgListener;
  readonly #channel: string;
  readonly #limit: number;
  readonly #echoes = new Map<string, () => void>();
  /** One statement at a time: what `pg` asks for. */
  #queue: Promise<unknown> = Promise.resolve();
  #isOver = false;
  onMessage: (message: Message) => void = () => {};
  /** Called once, with why; not after {@link close}. */
  onEnd: (error: Error) => void = () => {};

  /** @param limit for each answer, in milliseconds */
  constructor(listener: PgListener, channel: string, limit: number) {
    this.#listener = listener;
    this.#channel = channel;
    this.#limit = limit;
    const { client } = listener;
    client.on('error', (error) => this.#end(error));
    client.on('end', () => this.#end(new Error('the connection was closed')));
    client.on('notification', (notification) => {
      if (this.#isOver || notification.channel !== channel) return;
      const message = decode(notification.payload);
      if (message.kind === 'ping') this.#echoes.get(message.id)?.();
      else this.onMessage(message);
    });
    // What only listens does not keep a process alive.
    client.unref?.();
  }

  async listen(): Promise<void> {
    // The channel is made of a checked name: an identifier can't be a parameter.
    await this.query({ text: `LISTEN "${this.#channel}"` });
  }

  query(query: PgQuery): Promise<unknown> {
    const answer = this.#queue.then(() => this.#listener.client.query(query));
    this.#queue = answer.catch(() => {});
    return within(answer, this.#limit, `the feed gave no answer in ${this.#limit} ms`);
  }

  /**
   * Sends a message to itself, by whichever way, and waits for it to come back.
   *
   * @param silence what the rejection says where it doesn't
   */
  async ping(send: (payload: string) => Promise<unknown>, silence: string): Promise<void> {
    const id = Math.random().toString(36).slice(2);
    const echo = new Promise<void>((resolve) => this.#echoes.set(id, resolve));
    try {
      await send(encodePing(id));
      await within(echo, this.#limit, silence);
    } finally {
      this.#echoes.delete(id);
    }
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#listener.close();
  }

  #end(error: Error): void {
    if (this.#isOver) return;
    this.close();
    this.onEnd(error);
  }
}
