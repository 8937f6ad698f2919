import type { PgListener } from './connections.js';
import type { Database } from './database.js';
import { elapsed } from './deadline.js';
import { FeedConnection } from './feed-connection.js';
import { encodeAnswer, type Message } from './message.js';
import type { Presence } from './presence.js';

export interface FeedSettings {
  readonly channel: string;
  readonly instance: string;
  /** Milliseconds. */
  readonly heartbeat: number;
  /** Opens a connection that is used for nothing else. */
  open(): Promise<PgListener>;
}

/** Who is told what becomes of a session. */
export interface FeedObserver {
  /** What another process, or this one, sent; never a question. */
  onMessage(message: Exclude<Message, { kind: 'question' | 'ping' }>): void;
  onUp(): void;
  /** Once for each time that it was up, and for a first connection that failed. */
  onLost(error: unknown): void;
}

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
const POOLER =
  'what is sent does not come back. LISTEN does not work through a transaction pooler: give a direct connection in `listen`';
const SILENCE = 'the feed is silent: what is sent does not come back';

/**
 * The feed's connection, from the first listener to the last: made anew, at growing intervals, whenever it breaks. That it
 * lives is proven by messages to itself.
 */
export class FeedSession {
  readonly #settings: FeedSettings;
  readonly #db: Database;
  readonly #presence: Presence;
  readonly #observer: FeedObserver;
  readonly #beat: ReturnType<typeof setInterval>;
  #beating: Promise<void> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #pause = FIRST_PAUSE;
  #connection: FeedConnection | null = null;
  #isUp = false;
  #isLost = false;
  #isStopped = false;

  constructor(settings: FeedSettings, db: Database, presence: Presence, observer: FeedObserver) {
    this.#settings = settings;
    this.#db = db;
    this.#presence = presence;
    this.#observer = observer;
    this.#beat = setInterval(() => {
      this.#beating = this.#heartbeat();
    }, settings.heartbeat);
    this.#beat.unref?.();
    void this.#connect();
  }

  /** Whether changes of other processes are told. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** Nothing is told from now on. Resolves when no trace of it is left in the database. */
  stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#retry);
    clearInterval(this.#beat);
    // A heartbeat that is under way would put this process back into the table, so it comes to its end first.
    const beating = this.#beating;
    void beating.then(() => this.#drop());
    return this.#presence.remove(beating);
  }

  async #connect(): Promise<void> {
    let connection: FeedConnection | null = null;
    try {
      const listener = await this.#settings.open();
      connection = this.#take(listener);
      if (this.#isStopped) return connection.close();
      this.#connection = connection;
      await connection.listen();
      // By another connection: a pooler would give the answer to one that asked by its own, though nothing else ever came.
      await connection.ping((payload) => this.#notify(payload), POOLER);
    } catch (error) {
      this.#failed(connection, error);
      return;
    }
    if (this.#connection !== connection || this.#isStopped) return;
    this.#isUp = true;
    this.#isLost = false;
    this.#pause = FIRST_PAUSE;
    this.#observer.onUp();
  }

  #take(listener: PgListener): FeedConnection {
    const { channel, heartbeat } = this.#settings;
    const connection = new FeedConnection(listener, channel, heartbeat);
    connection.onMessage = (message) => {
      if (this.#isStopped) return;
      if (message.kind === 'question') this.#answer(message.id, connection);
      else if (message.kind !== 'ping') this.#observer.onMessage(message);
    };
    connection.onEnd = (error) => this.#failed(connection, error);
    return connection;
  }

  async #notify(payload: string): Promise<void> {
    await this.#db.run({ text: 'SELECT pg_notify($1::text, $2::text)' }, [this.#settings.channel, payload]);
  }

  /** Of a connection that is not the present one any more, nothing is of interest. */
  #failed(connection: FeedConnection | null, error: unknown): void {
    if (this.#isStopped || this.#connection !== connection) return;
    this.#drop();
    // Set before anyone is told: a listener may end the session.
    this.#retry = setTimeout(() => void this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    this.#retry.unref?.();
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    if (this.#isLost) return;
    this.#isLost = true;
    this.#observer.onLost(error);
  }

  #drop(): void {
    this.#isUp = false;
    this.#connection?.close();
    this.#connection = null;
  }

  async #heartbeat(): Promise<void> {
    const connection = this.#isUp ? this.#connection : null;
    if (connection === null) {
      // Without a feed this process still reads, and is to be waited for.
      await this.#presence.register().catch(() => {});
      return;
    }
    const at = elapsed();
    const text = `WITH present AS (${this.#presence.upsert} RETURNING 1)
      SELECT pg_notify($3::text, $4::text) FROM present`;
    const { values } = this.#presence;
    try {
      await connection.ping(
        (payload) => connection.query({ text, values: [...values, this.#settings.channel, payload] }),
        SILENCE,
      );
      if (!this.#isStopped) this.#presence.written(at);
    } catch (error) {
      this.#failed(connection, error);
    }
  }

  #answer(id: string, connection: FeedConnection): void {
    // Until the feed is up, what was changed before it listened is not known to be forgotten.
    if (!this.#isUp) return;
    const { channel, instance } = this.#settings;
    this.#observer.onMessage({ kind: 'answer', id, instance });
    const values = [channel, encodeAnswer(id, instance)];
    connection
      .query({ text: 'SELECT pg_notify($1::text, $2::text)', values })
      .catch((error) => this.#failed(connection, error));
  }
}
