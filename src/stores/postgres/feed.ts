import type { Invalidation } from '../../services/ports.js';
import { type Listener, Listeners } from '../sql/listeners.js';
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

const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;
const POOLER =
  'what is sent does not come back. LISTEN does not work through a transaction pooler: give a direct connection in `listen`';
const SILENCE = 'the feed is silent: what is sent does not come back';

/**
 * Tells listeners of changes: own ones when they are made, those of other processes as PostgreSQL tells of them. Its
 * connection is made anew, at growing intervals, as long as someone listens; whether it lives is proven by messages to itself.
 */
export class Feed {
  readonly #settings: FeedSettings;
  readonly #db: Database;
  readonly #presence: Presence;
  readonly #listeners = new Listeners();
  /** Own changes that the feed will tell of once more: not made yet, told by the feed already, or told here. */
  readonly #own = new Map<string, 'pending' | 'echoed' | 'told'>();
  #connection: FeedConnection | null = null;
  #isUp = false;
  #isTold: 'nothing' | 'lost' | 'restored' = 'nothing';
  #lastError: unknown = null;
  #isOpen = false;
  #isRunning = false;
  #pause = FIRST_PAUSE;
  #retry: ReturnType<typeof setTimeout> | null = null;
  #beat: ReturnType<typeof setInterval> | null = null;
  /** Answers to questions that were asked of everyone. */
  onAnswer: (id: string, instance: string) => void = () => {};
  onUp: () => void = () => {};

  constructor(settings: FeedSettings, db: Database, presence: Presence) {
    this.#settings = settings;
    this.#db = db;
    this.#presence = presence;
  }

  /** Whether someone listens. */
  get isWanted(): boolean {
    return this.#listeners.size > 0;
  }

  subscribe(listener: Listener): () => void {
    let isListening = true;
    const stop = this.#listeners.add(listener);
    if (this.#isTold === 'lost') {
      // Later, so that whoever subscribes is ready to hear it.
      queueMicrotask(() => isListening && this.#isTold === 'lost' && tellOne(listener, this.#lastError));
    }
    if (this.#isOpen) this.#start();
    return () => {
      isListening = false;
      stop();
      if (this.#listeners.size === 0) void this.#stop();
    };
  }

  /** The store is in use: from now on whoever listens is told. */
  open(): void {
    this.#isOpen = true;
    if (this.isWanted) this.#start();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#listeners.clear();
    await this.#stop();
  }

  /**
   * Makes a change, and tells of it before the caller goes on. If it fails, it may yet have been made: then the feed's own
   * word of it counts.
   */
  async change(id: string, invalidation: Invalidation | null, make: () => Promise<boolean>): Promise<boolean> {
    if (invalidation === null || !this.isWanted) return make();
    this.#own.set(id, 'pending');
    let isMade = false;
    try {
      isMade = await make();
      return isMade;
    } finally {
      const wasEchoed = this.#own.get(id) === 'echoed';
      if (isMade && !wasEchoed && this.#isUp) this.#own.set(id, 'told');
      else this.#own.delete(id);
      if (isMade && !wasEchoed) this.#listeners.tell(invalidation);
    }
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#pause = FIRST_PAUSE;
    this.#beat = setInterval(() => void this.#heartbeat(), this.#settings.heartbeat);
    this.#beat.unref?.();
    void this.#connect();
  }

  async #stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    this.#isTold = 'nothing';
    if (this.#retry !== null) clearTimeout(this.#retry);
    if (this.#beat !== null) clearInterval(this.#beat);
    this.#drop();
    await this.#presence.remove();
  }

  async #connect(): Promise<void> {
    this.#retry = null;
    let listener: PgListener;
    try {
      listener = await this.#settings.open();
    } catch (error) {
      this.#failed(null, error);
      return;
    }
    const { channel, heartbeat } = this.#settings;
    const connection = new FeedConnection(listener, channel, heartbeat, (message) => this.#hear(message, connection));
    if (!this.#isRunning || this.#connection !== null) return connection.close();
    this.#connection = connection;
    connection.onEnd = (error) => this.#failed(connection, error);
    try {
      await connection.listen();
      // By another connection: a pooler would give the answer to one that asked by its own, though nothing else ever came.
      await connection.ping(
        (payload) => this.#db.run({ text: 'SELECT pg_notify($1::text, $2::text)' }, [channel, payload]),
        POOLER,
      );
    } catch (error) {
      this.#failed(connection, error);
      return;
    }
    if (this.#connection !== connection) return;
    this.#isUp = true;
    this.#pause = FIRST_PAUSE;
    this.#tell({ kind: 'restored' });
    this.onUp();
  }

  /** Of a connection that is not the present one any more, nothing is of interest. */
  #failed(connection: FeedConnection | null, error: unknown): void {
    if (!this.#isRunning || this.#connection !== connection) return;
    this.#drop();
    this.#lastError = error;
    if (this.#isTold !== 'lost') this.#tell({ kind: 'lost', error });
    // A listener may have ended it all.
    if (!this.#isRunning) return;
    this.#retry = setTimeout(() => void this.#connect(), this.#pause * (0.75 + Math.random() / 2));
    this.#retry.unref?.();
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }

  #drop(): void {
    this.#isUp = false;
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
    for (const [id, state] of this.#own) if (state === 'told') this.#own.delete(id);
  }

  async #heartbeat(): Promise<void> {
    const connection = this.#isUp ? this.#connection : null;
    if (connection === null) {
      // Without a feed this process still reads, and is to be waited for.
      await this.#presence.register().catch(() => {});
      return;
    }
    const at = elapsed();
    try {
      await connection.ping(
        (payload) =>
          connection.query({
            text: `WITH present AS (${this.#presence.upsert} RETURNING 1)
              SELECT pg_notify($3::text, $4::text) FROM present`,
            values: [...this.#presence.values, this.#settings.channel, payload],
          }),
        SILENCE,
      );
      this.#presence.written(at);
    } catch (error) {
      this.#failed(connection, error);
    }
  }

  #hear(message: Message, connection: FeedConnection): void {
    if (message.kind === 'answer') this.onAnswer(message.id, message.instance);
    else if (message.kind === 'question') this.#answer(message.id, connection);
    else if (message.kind === 'change') this.#hearChange(message.change, message.invalidation);
  }

  #hearChange(id: string, invalidation: Invalidation): void {
    const state = this.#own.get(id);
    if (state === 'told') this.#own.delete(id);
    else {
      if (state === 'pending') this.#own.set(id, 'echoed');
      this.#listeners.tell(invalidation);
    }
  }

  #answer(id: string, connection: FeedConnection): void {
    // Until the feed is up, what was changed before it listened is not known to be forgotten.
    if (!this.#isUp) return;
    const { instance } = this.#settings;
    this.onAnswer(id, instance);
    connection.notify(encodeAnswer(id, instance)).catch((error) => this.#failed(connection, error));
  }

  #tell(invalidation: { kind: 'lost'; error: unknown } | { kind: 'restored' }): void {
    this.#isTold = invalidation.kind;
    this.#listeners.tell(invalidation);
  }
}

function tellOne(listener: Listener, error: unknown): void {
  try {
    listener({ kind: 'lost', error });
  } catch {
    // As with every other listener: what it throws is its own.
  }
}
