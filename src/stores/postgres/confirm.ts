import type { Confirmation } from '../../ports/store.js';
import type { Database } from './database.js';
import { elapsed } from './deadline.js';
import type { Feed } from './feed.js';
import { encodeQuestion } from './message.js';
import type { Presence } from './presence.js';

/** How often who has not answered is asked again, and whether it is still live. Milliseconds. */
const INTERVAL = 1_000;

/**
 * Asks every process that listens whether it has been told of everything so far. PostgreSQL delivers notifications in the
 * order of their commits: who answers the question has heard what came before it.
 */
export class Confirmations {
  readonly #db: Database;
  readonly #feed: Feed;
  readonly #presence: Presence;
  readonly #channel: string;
  readonly #open = new Map<string, Question>();

  constructor(db: Database, feed: Feed, presence: Presence, channel: string) {
    this.#db = db;
    this.#feed = feed;
    this.#presence = presence;
    this.#channel = channel;
    feed.onAnswer = (id, instance) => this.#open.get(id)?.hear(instance);
    feed.onUp = () => {
      for (const question of this.#open.values()) question.wake();
    };
  }

  /** @param timeout milliseconds */
  async confirm(timeout: number): Promise<Confirmation> {
    const until = elapsed() + timeout;
    const id = Math.random().toString(36).slice(2);
    const question = new Question();
    this.#open.set(id, question);
    // Answers come by the feed, so this process listens for as long as it waits for them.
    const stop = this.#feed.subscribe(() => {});
    try {
      if (!this.#presence.isFresh) await this.#presence.register();
      for (let failure: unknown = null; ; ) {
        try {
          // Asked first: who came in between is told everything anew, and need not be waited for.
          question.wait(await this.#presence.live());
          if (!question.isAnswered) await this.#ask(id);
          failure = null;
        } catch (error) {
          failure = error;
        }
        const left = until - elapsed();
        if (left <= 0 && failure !== null && !question.isAsked) throw failure;
        if (question.isAnswered || left <= 0) return question.result;
        await question.news(Math.min(left, INTERVAL));
        if (question.isAnswered) return question.result;
      }
    } finally {
      this.#open.delete(id);
      stop();
    }
  }

  async #ask(id: string): Promise<void> {
    await this.#db.run({ text: 'SELECT pg_notify($1::text, $2::text)' }, [this.#channel, encodeQuestion(id)]);
  }
}

class Question {
  readonly #answers = new Set<string>();
  /** Those that were live at first; those of them that have died are not waited for. `null`: not known yet. */
  #asked: readonly string[] | null = null;
  #live: readonly string[] = [];
  #wake: () => void = () => {};
  #isNew = false;

  hear(instance: string): void {
    this.#answers.add(instance);
    if (this.isAnswered) this.wake();
  }

  wait(live: readonly string[]): void {
    this.#asked ??= live;
    this.#live = live;
  }

  wake(): void {
    this.#isNew = true;
    this.#wake();
  }

  get isAsked(): boolean {
    return this.#asked !== null;
  }

  get isAnswered(): boolean {
    return this.#asked !== null && this.result.missing === 0;
  }

  get result(): Confirmation {
    const asked = this.#asked ?? [];
    const acknowledged = asked.filter((instance) => this.#answers.has(instance)).length;
    const missing = asked.filter((instance) => !this.#answers.has(instance) && this.#live.includes(instance)).length;
    return { acknowledged, missing };
  }

  /** Until there is something new to look at, at most so many milliseconds. */
  async news(milliseconds: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    if (!this.#isNew) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
    }
    this.#isNew = false;
    clearTimeout(timer);
  }
}
