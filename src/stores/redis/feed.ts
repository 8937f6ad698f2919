import { randomUUID } from 'node:crypto';
import type { Confirmation, Invalidation } from '../../ports/store.js';
import { type Listener, Listeners } from '../shared/listeners.js';
import type { ClientPort } from './client.js';
import { Confirmations } from './confirm.js';
import type { Connection } from './connection.js';
import { acknowledgement, type FeedMessage, type OwnMessage, parseFeedMessage, parseOwnMessage } from './message.js';
import { beat, leave } from './presence.js';

/** After so many heartbeats in which nothing was heard the feed counts as lost. */
const SILENT_BEATS = 2;
/** After so many heartbeats that Redis has answered, and nobody has heard, nobody is at the other end of the connection. */
const UNHEARD_BEATS = 3;
/** For how many heartbeats a process that was killed is waited for. */
const LIFETIME_BEATS = 3;

export interface FeedSettings {
  /** Milliseconds, like `timeout`. */
  readonly heartbeat: number;
  readonly timeout: number;
  /** Resolves once the layout is there. */
  open(): Promise<unknown>;
}

/**
 * Tells listeners of changes: of own ones at once, of those of others when Redis publishes them. Each message bears a number;
 * where one is skipped something was missed, and everything is forgotten. With each heartbeat this process publishes to
 * itself, and a feed counts as working only while that is heard: clients subscribe again without a word, and a connection
 * that died in silence looks like one on which nothing happens.
 */
export class ChangeFeed {
  readonly instance = randomUUID();
  readonly #client: ClientPort;
  readonly #connection: Connection;
  readonly #settings: FeedSettings;
  readonly #ownChannel: string;
  readonly #listeners = new Listeners();
  readonly #confirmations = new Confirmations();
  /** Own changes that Redis has still to tell. */
  readonly #expected = new Set<string>();
  /** Confirmations under way: they need the feed too. */
  #confirming = 0;
  #state: 'off' | 'starting' | 'up' | 'lost' | 'closed' = 'off';
  #started: Promise<void> = Promise.resolve();
  #settleStart = () => {};
  #endSubscription = () => {};
  #timer: ReturnType<typeof setInterval> | undefined;
  /** The number of the last change that was told. */
  #sequence: number | null = null;
  #beats = 0;
  /** A heartbeat up to this one proves nothing: it was sent before the feed was lost. */
  #stale = 0;
  #beating = 0;
  #quiet = 0;
  #unheard = 0;
  #failure: unknown;

  constructor(client: ClientPort, connection: Connection, settings: FeedSettings) {
    this.#client = client;
    this.#connection = connection;
    this.#settings = settings;
    this.#ownChannel = connection.keys.channelOf(this.instance);
  }

  /** Resolves once the feed works, or is known not to: what is read later can't be older than what it tells. */
  get started(): Promise<void> {
    return this.#started;
  }

  subscribe(listener: Listener): () => void {
    if (this.#state === 'closed') return () => {};
    const end = this.#listeners.add(listener);
    if (this.#state === 'off') this.#start();
    return () => {
      end();
      this.#stopIfUnused();
    };
  }

  /** A change of our own is about to be sent: what Redis publishes of it is no news here. */
  expect(change: string): void {
    if (this.#state === 'up') this.#expected.add(change);
  }

  /** A change of our own was made; or may have been, or may still be (`certain: false`). */
  own(change: string, invalidation: Invalidation | null, certain: boolean): void {
    if (!certain || invalidation === null) this.#expected.delete(change);
    this.#listeners.tell(invalidation);
  }

  async confirm(timeout: number): Promise<Confirmation> {
    const begun = performance.now();
    this.#confirming++;
    try {
      if (this.#state === 'off') this.#start();
      await this.#started;
      const left = Math.max(0, timeout - (performance.now() - begun));
      return await this.#confirmations.ask(this.#connection, this.#ownChannel, left, this.#settings.heartbeat);
    } finally {
      this.#confirming--;
      this.#stopIfUnused();
    }
  }

  async close(): Promise<void> {
    this.#listeners.clear();
    const leaving = this.#stop();
    this.#state = 'closed';
    await leaving;
  }

  #start(): void {
    this.#state = 'starting';
    this.#sequence = null;
    this.#quiet = 0;
    this.#stale = this.#beats;
    this.#started = new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#settings.timeout);
      this.#settleStart = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#listen();
    this.#timer = setInterval(() => this.#tick(), this.#settings.heartbeat);
    this.#timer.unref();
    // So that others wait for us from here on.
    void this.#beat();
  }

  #stopIfUnused(): void {
    if (this.#listeners.size === 0 && this.#confirming === 0) void this.#stop();
  }

  async #stop(): Promise<void> {
    if (this.#state === 'off' || this.#state === 'closed') return;
    this.#state = 'off';
    clearInterval(this.#timer);
    this.#endSubscription();
    this.#settleStart();
    this.#expected.clear();
    try {
      await leave(this.#connection, this.instance);
    } catch {
      // Others wait for us until our last heartbeat is too old.
    }
  }

  #listen(): void {
    this.#unheard = 0;
    this.#endSubscription = this.#client.listen([this.#connection.keys.feed, this.#ownChannel], {
      message: (channel, text) => this.#hear(channel, text),
      up: () => void this.#beat(),
      down: (error) => this.#lose(error),
    });
  }

  #tick(): void {
    if (++this.#quiet >= SILENT_BEATS) {
      this.#lose(this.#failure ?? new Error('the feed is silent: nothing comes of what is published to it'));
    }
    if (this.#unheard >= UNHEARD_BEATS) {
      this.#endSubscription();
      this.#listen();
    }
    if (this.#beating === 0) void this.#beat();
  }

  async #beat(): Promise<void> {
    const { heartbeat, open } = this.#settings;
    const lifetime = heartbeat * LIFETIME_BEATS;
    const number = ++this.#beats;
    this.#beating++;
    try {
      await open();
      if (this.#state === 'off' || this.#state === 'closed') return;
      const who = this.#listeners.size > 0 ? { instance: this.instance, lifetime } : null;
      await beat(this.#connection, this.#ownChannel, number, who);
      this.#unheard++;
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#beating--;
    }
  }

  #hear(channel: string, text: string): void {
    if (this.#state === 'off' || this.#state === 'closed') return;
    this.#quiet = 0;
    if (channel === this.#ownChannel) this.#hearOwn(parseOwnMessage(text));
    else this.#hearFeed(parseFeedMessage(text));
  }

  #hearOwn(message: OwnMessage | null): void {
    if (message?.kind === 'acknowledged') this.#confirmations.answered(message.request, message.by);
    if (message?.kind !== 'beat' || message.beat <= this.#stale) return;
    this.#unheard = 0;
    if (this.#state === 'up') {
      this.#follow(message.sequence);
      return;
    }
    this.#state = 'up';
    this.#sequence = message.sequence;
    // What was changed until now may have been read before, and was told to nobody here.
    this.#listeners.tell({ kind: 'restored' });
    this.#settleStart();
  }

  #hearFeed(message: FeedMessage | null): void {
    if (message === null) return;
    if (message.kind === 'change') {
      this.#follow(message.sequence - 1);
      this.#sequence = message.sequence;
      if (!this.#expected.delete(message.change)) this.#listeners.tell(message.invalidation);
      return;
    }
    this.#follow(message.sequence);
    // Until it is known that nothing was missed there is nothing to acknowledge; they will ask again.
    if (this.#state === 'up' && this.#listeners.size > 0) this.#acknowledge(message.request, message.to);
  }

  /** @param sequence the number of the change that should have been the last */
  #follow(sequence: number): void {
    if (this.#state !== 'up' || this.#sequence === sequence) return;
    this.#sequence = sequence;
    this.#listeners.tell({ kind: 'everything' });
  }

  #acknowledge(request: string, to: string): void {
    this.#connection.command(['PUBLISH', to, acknowledgement(request, this.instance)]).catch(() => {
      // They will ask again.
    });
  }

  #lose(error: unknown): void {
    this.#stale = this.#beats;
    this.#sequence = null;
    this.#expected.clear();
    if (this.#state !== 'starting' && this.#state !== 'up') return;
    this.#state = 'lost';
    this.#listeners.tell({ kind: 'lost', error });
    this.#settleStart();
  }
}
