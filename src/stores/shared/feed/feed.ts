import type { Confirmation, Invalidation } from '../../../ports/store.js';
import { elapsed } from '../deadline.js';
import { type Listener, Listeners } from '../listeners.js';
import type { Channel, Line } from './channel.js';
import type { Message } from './message.js';
import { Presence } from './presence.js';
import { Question } from './question.js';

/** After so many heartbeats in which nothing was heard the feed counts as lost. */
const SILENT_BEATS = 2;
/** A process counts as live for so many heartbeats after its last one. */
const LIFETIME_BEATS = 3.3;
/** How long a lost feed waits before it opens another line: twice as long each time. Milliseconds. */
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
  /** `sequence`: the number of the last change that was told. */
  | { readonly name: 'live'; readonly line: Line; sequence: number | null }
  | { readonly name: 'lost'; readonly retry: ReturnType<typeof setTimeout> };

/**
 * Tells listeners of changes: of own ones before their call goes on, of those of other processes as they come in. It works
 * from the first call of the store on, while someone listens.
 *
 * A line may die without a word. So this process sends itself a beat at each heartbeat, and the feed counts as live only while
 * they come back. Whenever it is live again, listeners are told that everything may have changed.
 */
export class Feed {
  readonly #channel: Channel;
  readonly #instance: string;
  readonly #heartbeat: number;
  readonly #presence: Presence;
  readonly #listeners = new Listeners();
  /** Own changes that will come in once more. */
  readonly #own = new Set<string>();
  readonly #questions = new Map<string, Question>();
  #state: State = { name: 'idle' };
  #isInUse = false;
  /** What listeners were told of the feed at last; `null`: that it works, or nothing yet. */
  #loss: { readonly error: unknown } | null = null;
  #timer: ReturnType<typeof setInterval> | undefined;
  #pause = FIRST_PAUSE;
  /** Heartbeats since anything was heard. */
  #quiet = 0;
  /** Why the last beat could not be sent. */
  #failure: unknown;
  #beating: Promise<void> | null = null;

  /**
   * @param instance a name that no other process has
   * @param heartbeat milliseconds
   */
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
    // Later, so that whoever subscribes is ready to hear it.
    if (this.#loss !== null) queueMicrotask(() => this.#loss && own.tell({ kind: 'lost', error: this.#loss.error }));
    this.#startIfWanted();
    return () => {
      own.clear();
      stop();
      this.#stopIfUnwanted();
    };
  }

  /**
   * Comes before each call that reads or writes: a process that may remember what it reads counts as live before it does, so
   * that no confirmation passes it over.
   */
  async enter(): Promise<void> {
    this.#isInUse = true;
    this.#startIfWanted();
    if (this.#listeners.size > 0) await this.#presence.ensure();
  }

  /**
   * Makes a change, and tells of it before the caller goes on. Where that fails, it may have been made, or may yet be: it is
   * told too, and once more if it comes in.
   */
  async change(id: string, invalidation: Invalidation | null, make: () => Promise<boolean>): Promise<boolean> {
    if (invalidation === null) return make();
    if (this.#state.name === 'live') this.#own.add(id);
    let isMade: boolean | null = null;
    try {
      isMade = await make();
      return isMade;
    } finally {
      if (isMade !== true) this.#own.delete(id);
      if (isMade !== false) this.#listeners.tell(invalidation);
    }
  }

  /** Asks again at each heartbeat: who was asked may have died, or lost its feed and found it again. */
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

  /** Resolves when no trace of it is left in the database. */
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
    // Of a line that is not the present one any more nothing is of interest.
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
    // Before anyone is told: a listener may end the feed.
    this.#state = { name: 'lost', retry };
    if (this.#loss !== null) return;
    this.#loss = { error };
    this.#listeners.tell({ kind: 'lost', error });
  }

  #tick(): void {
    // A line that opens ends by itself if it can't.
    const isOpen = this.#line !== null && this.#state.name !== 'opening';
    if (isOpen && ++this.#quiet >= SILENT_BEATS) this.#lose(this.#failure ?? new Error(this.#channel.silence));
    this.#beat();
  }

  /** Without a line this process still reads, and is to be waited for. */
  #beat(): void {
    if (this.#beating !== null) return;
    const line = this.#state.name === 'opening' ? null : this.#line;
    this.#beating = this.#sendBeat(line)
      .catch((error) => {
        this.#failure = error;
      })
      .finally(() => {
        this.#beating = null;
        // It opened meanwhile.
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
    // What was changed until now may have been read before, and was told to nobody here.
    this.#listeners.tell({ kind: 'restored' });
    for (const question of this.#questions.values()) question.wake();
  }

  /** @param changes how many changes this message is: where the number before is not the last one, some were missed */
  #follow(sequence: number | null, changes = 0): void {
    if (this.#state.name !== 'live' || sequence === null) return;
    const isNext = this.#state.sequence === sequence - changes;
    this.#state.sequence = sequence;
    if (!isNext) this.#listeners.tell({ kind: 'everything' });
  }

  /** Until it is known that nothing was missed there is nothing to answer. They will ask again. */
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
