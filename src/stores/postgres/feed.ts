import type { Invalidation } from '../../ports/store.js';
import { type Listener, Listeners } from '../shared/listeners.js';
import type { Database } from './database.js';
import { FeedSession, type FeedSettings } from './feed-session.js';
import type { Presence } from './presence.js';

/** Tells listeners of changes: own ones when they are made, those of other processes as PostgreSQL tells of them. */
export class Feed {
  readonly #settings: FeedSettings;
  readonly #db: Database;
  readonly #presence: Presence;
  readonly #listeners = new Listeners();
  /** Own changes that the feed will tell of once more: not made yet, told by the feed already, or told here. */
  readonly #own = new Map<string, 'pending' | 'echoed' | 'told'>();
  #session: FeedSession | null = null;
  /** What the listeners were told of the feed at last; `null` where it is up, or was never tried. */
  #loss: { readonly error: unknown } | null = null;
  #isOpen = false;
  #stopping: Promise<void> = Promise.resolve();
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
    const own = new Listeners();
    own.add(listener);
    const stop = this.#listeners.add((invalidation) => own.tell(invalidation));
    if (this.#loss !== null) {
      // Later, so that whoever subscribes is ready to hear it.
      queueMicrotask(() => this.#loss && own.tell({ kind: 'lost', error: this.#loss.error }));
    }
    if (this.#isOpen) this.#start();
    return () => {
      own.clear();
      stop();
      if (!this.isWanted) this.#stop();
    };
  }

  /** The store is in use: from now on whoever listens is told. */
  open(): void {
    this.#isOpen = true;
    if (this.isWanted) this.#start();
  }

  /** Resolves when no trace of it is left in the database. */
  close(): Promise<void> {
    this.#isOpen = false;
    this.#listeners.clear();
    this.#stop();
    return this.#stopping;
  }

  /**
   * Makes a change, and tells of it before the caller goes on. If that fails, it may yet have been made: then the feed's own
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
      const isEchoed = this.#own.get(id) === 'echoed';
      if (isMade && !isEchoed && this.#session?.isUp) this.#own.set(id, 'told');
      else this.#own.delete(id);
      if (isMade && !isEchoed) this.#listeners.tell(invalidation);
    }
  }

  #start(): void {
    this.#session ??= new FeedSession(this.#settings, this.#db, this.#presence, {
      onMessage: (message) => {
        if (message.kind === 'answer') this.onAnswer(message.id, message.instance);
        else this.#hear(message.change, message.invalidation);
      },
      onUp: () => {
        this.#loss = null;
        this.#listeners.tell({ kind: 'restored' });
        this.onUp();
      },
      onLost: (error) => {
        this.#loss = { error };
        this.#forgetEchoes();
        this.#listeners.tell({ kind: 'lost', error });
      },
    });
  }

  #stop(): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    this.#loss = null;
    this.#forgetEchoes();
    this.#stopping = session.stop();
  }

  #hear(id: string, invalidation: Invalidation): void {
    const state = this.#own.get(id);
    if (state === 'told') {
      this.#own.delete(id);
      return;
    }
    if (state === 'pending') this.#own.set(id, 'echoed');
    this.#listeners.tell(invalidation);
  }

  /** They will not come any more. */
  #forgetEchoes(): void {
    for (const [id, state] of this.#own) if (state === 'told') this.#own.delete(id);
  }
}
