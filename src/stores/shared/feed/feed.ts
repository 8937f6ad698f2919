import type { Confirmation } from '../../../ports/store.js';
import { elapsed } from '../deadline.js';
import { type Listener, Listeners } from '../listeners.js';
import type { Channel, Line } from './channel.js';
import type { Message, Told } from './message.js';
import { Presence } from './presence.js';
import { Question } from './question.js';

/** After this many heartbeats without a message the feed counts as lost. */
const SILENT_BEATS = 2;
/** A process counts as live for this many heartbeats after its last one. */
const LIFETIME_BEATS = 3.3;
/** The pause before a lost feed opens another line. It doubles each time. Milliseconds. */
const FIRST_PAUSE = 100;
const LONGEST_PAUSE = 5_000;

/**
 *            wanted            opened             own beat heard
 *     idle ─────────▶ opening ────────▶ proving ────────────────▶ live
 *      ▲                 ▲  │ ended        │ ended, silent          │ ended, silent
 *      │ not wanted      │  ▼              ▼                        ▼
 *   (any state)          └─────────────────────── lost ◀────────────┘
 *                          after a pause
 */
type State =
  | { readonly name: 'idle' | 'closed' }
  | { readonly name: 'opening' | 'proving'; readonly line: Line }
  /** `sequence`: the number of the last change that was heard. */
  | { readonly name: 'live'; readonly line: Line; sequence: number | null }
  | { readonly name: 'lost'; readonly retry: ReturnType<typeof setTimeout> };

/**
 * Tells listeners of changes: of own changes before their call returns, of other processes' changes as they come in. It works
 * from the store's first call on, while someone listens.
 *
 * A line may die silently. So this process sends itself a beat at each heartbeat, and the feed counts as live only while the
 * beats come back. When it is live again, listeners are told that everything may have changed.
 */
export class Feed {
  readonly #channel: Channel;
  readonly #instance: string;
  readonly #heartbeat: number;
  readonly #presence: Presence;
  readonly #listeners = new Listeners();
  /** Own changes that will come back through the line. */
  readonly #own = new Set<string>();
  readonly #questions = new Map<string, Question>();
  #state: State = { name: 'idle' };
  #isInUse = false;
  /** The loss that listeners were last told of; `null`: the feed works, or they were told nothing yet. */
  #loss: { readonly error: unknown } | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pause = FIRST_PAUSE;
  /** Heartbeats since the last message. */
  #quiet = 0;
  /** The error of the last beat that could not be sent. */
  #failure: unknown;
  #beating: Promise<void> | null = null;

  /** @param instance a unique name of this process. The heartbeat is in milliseconds. */
  constructor(channel: Channel, instance: string, heartbeat: number) {
    this.#channel = channel;
    this.#instance = instance;
    this.#heartbeat = heartbeat;
    this.#presence = new Presence(channel, Math.round(heartbeat * LIFETIME_BEATS));
  }

  subscribe(listener: Listener): () => void {
    if (this.#state.name === 'closed') return () => {};
    const own = new Listeners();
    own.add(listener);
    const stop = this.#listeners.add((invalidation) => own.tell(invalidation));
    // Later, so that the subscriber is ready for it.
    if (this.#loss !== null) queueMicrotask(() => this.#loss && own.tell({ kind: 'lost', error: this.#loss.error }));
    this.#startIfWanted();
    return () => {
      own.clear();
      stop();
      this.#stopIfUnwanted();
    };
  }

  /**
   * To be called before each read or write. A process that may cache the result must count as live first, so that no
   * confirmation leaves it out.
   */
  async enter(): Promise<void> {
    this.#isInUse = true;
    this.#startIfWanted();
    if (this.#listeners.size > 0) await this.#presence.ensure();
  }

  /**
   * Makes changes, and tells listeners before it returns. A change that failed may still have been made, or be made later. So
   * listeners are told of it too, and again if it comes in through the line.
   */
  async change(told: readonly Told[], make: () => Promise<readonly boolean[]>): Promise<readonly boolean[]> {
    if (this.#state.name === 'live') for (const { id } of told) this.#own.add(id);
    let made: readonly boolean[] | null = null;
    try {
      made = await make();
      return made;
    } finally {
      for (const [index, { id, invalidation }] of told.entries()) {
        const isMade = made === null ? null : made[index];
        if (isMade !== true) this.#own.delete(id);
        if (isMade !== false) this.#listeners.tell(invalidation);
      }
    }
  }

  /** Asks again at each heartbeat, because a process may have died, or lost its feed and found it again. */
  async confirm(timeout: number): Promise<Confirmation> {
    const until = elapsed() + timeout;
    const id = Math.random().toString(36).slice(2);
    const question = new Question();
    this.#questions.set(id, question);
    this.#startIfWanted();
    try {
      for (;;) {
        let failure: unknown;
        try {
          question.asked(await this.#channel.ask({ kind: 'question', id, instance: this.#instance }));
        } catch (error) {
          failure = error;
        }
        await question.wait(Math.min(this.#heartbeat, until - elapsed()));
        if (question.isAnswered) return question.result;
        if (elapsed() < until && this.#state.name !== 'closed') continue;
        if (!question.isAsked) throw failure;
        return question.result;
      }
    } finally {
      this.#questions.delete(id);
      this.#stopIfUnwanted();
    }
  }

  /** Resolves when no trace of the feed is left in the database. */
  close(): Promise<void> {
    this.#listeners.clear();
    const gone = this.#stop('closed');
    for (const question of this.#questions.values()) question.wake();
    return gone;
  }

  get #isWanted(): boolean {
    return this.#listeners.size > 0 || this.#questions.size > 0;
  }

  get #line(): Line | null {
    return lineOf(this.#state);
  }

  #startIfWanted(): void {
    if (this.#state.name !== 'idle' || !this.#isInUse || !this.#isWanted) return;
    this.#timer = setInterval(() => this.#tick(), this.#heartbeat);
    this.#timer.unref?.();
    this.#open();
  }

  #stopIfUnwanted(): void {
    if (!this.#isWanted) void this.#stop('idle');
  }

  async #stop(name: 'idle' | 'closed'): Promise<void> {
    const state = this.#state;
    if (state.name === 'closed') return;
    this.#state = { name };
    if (state.name === 'idle') return this.#presence.gone;
    clearInterval(this.#timer);
    if (state.name === 'lost') clearTimeout(state.retry);
    this.#own.clear();
    this.#loss = null;
    this.#pause = FIRST_PAUSE;
    const beating = this.#beating;
    const gone = this.#presence.leave(beating);
    await beating;
    lineOf(state)?.close();
    await gone;
  }

  #open(): void {
    this.#quiet = 0;
    this.#failure = undefined;
    // Events of an earlier line are ignored.
    const isPresent = () => this.#line === line;
    const line = this.#channel.open({
      opened: () => {
        if (!isPresent()) return;
        this.#state = { name: 'proving', line };
        this.#beat();
      },
      heard: (message, sequence) => {
        if (isPresent()) this.#hear(message, sequence);
      },
      ended: (error) => {
        if (isPresent()) this.#lose(error);
      },
    });
    this.#state = { name: 'opening', line };
  }

  #lose(error: unknown): void {
    this.#line?.close();
    this.#own.clear();
    const retry = setTimeout(() => this.#open(), this.#pause * (0.75 + Math.random() / 2));
    retry.unref?.();
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    // Set before listeners are told: a listener may end the feed.
    this.#state = { name: 'lost', retry };
    if (this.#loss !== null) return;
    this.#loss = { error };
    this.#listeners.tell({ kind: 'lost', error });
  }

  #tick(): void {
    // A line that can't open ends by itself.
    const isOpen = this.#line !== null && this.#state.name !== 'opening';
    if (isOpen && ++this.#quiet >= SILENT_BEATS) this.#lose(this.#failure ?? new Error(this.#channel.silence));
    this.#beat();
  }

  /** Also without a line: this process still reads, so confirmations must wait for it. */
  #beat(): void {
    if (this.#beating !== null) return;
    const line = this.#state.name === 'opening' ? null : this.#line;
    this.#beating = this.#sendBeat(line)
      .catch((error) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#beating = null;
        // A line opened meanwhile.
        if (this.#state.name === 'proving' && this.#line !== line) this.#beat();
      });
  }

  async #sendBeat(line: Line | null): Promise<void> {
    const isListening = this.#listeners.size > 0;
    const beat: Message = { kind: 'beat', instance: this.#instance };
    if (line === null) return isListening ? this.#presence.enter() : undefined;
    if (!isListening) return line.send(beat, this.#instance, 0);
    return this.#presence.during(() => line.send(beat, this.#instance, this.#presence.lifetime));
  }

  #hear(message: Message, sequence: number | null): void {
    this.#quiet = 0;
    switch (message.kind) {
      case 'beat':
        if (message.instance === this.#instance) this.#prove(sequence);
        return;
      case 'change':
        this.#follow(sequence, 1);
        if (!this.#own.delete(message.id)) this.#listeners.tell(message.invalidation);
        return;
      case 'question':
        this.#follow(sequence);
        this.#answer(message.id, message.instance);
        return;
      case 'answer':
        this.#questions.get(message.id)?.answered(message.instance);
    }
  }

  #prove(sequence: number | null): void {
    const state = this.#state;
    if (state.name === 'live') this.#follow(sequence);
    if (state.name !== 'proving') return;
    this.#state = { name: 'live', line: state.line, sequence };
    this.#pause = FIRST_PAUSE;
    this.#loss = null;
    // Changes made until now may concern earlier reads, and nobody here was told of them.
    this.#listeners.tell({ kind: 'restored' });
    for (const question of this.#questions.values()) question.wake();
  }

  /** @param changes the number of changes in this message. If `sequence` does not follow the last one, some were missed */
  #follow(sequence: number | null, changes = 0): void {
    if (this.#state.name !== 'live' || sequence === null) return;
    const isNext = this.#state.sequence === sequence - changes;
    this.#state.sequence = sequence;
    if (!isNext) this.#listeners.tell({ kind: 'everything' });
  }

  /** Answers only while the feed is live: otherwise changes may have been missed. The process will ask again. */
  #answer(id: string, to: string): void {
    if (this.#state.name !== 'live' || this.#listeners.size === 0) return;
    const answer: Message = { kind: 'answer', id, instance: this.#instance };
    this.#state.line.send(answer, to, 0).catch((error) => {
      this.#failure = error;
    });
  }
}

function lineOf(state: State): Line | null {
  return state.name === 'opening' || state.name === 'proving' || state.name === 'live' ? state.line : null;
}
