import { elapsed } from '../deadline.js';
import type { Channel } from './channel.js';

/** Whether this process counts as live: whoever asks all who listen waits for it then. */
export class Presence {
  readonly #channel: Channel;
  /** How long it counts as live after it said so. Milliseconds. */
  readonly lifetime: number;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #entering: Promise<void> | null = null;
  #leaving: Promise<void> | null = null;

  constructor(channel: Channel, lifetime: number) {
    this.#channel = channel;
    this.lifetime = lifetime;
  }

  /** Resolves once the database surely has it for live. */
  async ensure(): Promise<void> {
    if (this.#leaving !== null || elapsed() >= this.#freshUntil) await this.enter();
  }

  /** Resolves when what {@link leave} has begun is done. */
  get gone(): Promise<void> {
    return this.#leaving ?? Promise.resolve();
  }

  enter(): Promise<void> {
    this.#entering ??= this.during(() => this.#channel.enter(this.lifetime)).finally(() => {
      this.#entering = null;
    });
    return this.#entering;
  }

  /** @param say says in whatever way that it is live; never while it is being removed, which would take that along */
  async during(say: () => Promise<void>): Promise<void> {
    await this.#leaving;
    const at = elapsed();
    await say();
    this.#freshUntil = at + this.lifetime;
  }

  /**
   * Resolves when no trace of it is left.
   *
   * @param saying what is under way and might say once more that it is live
   */
  leave(saying: Promise<unknown> | null): Promise<void> {
    const leaving = Promise.allSettled([saying, this.#entering, this.#leaving])
      .then(() => {
        this.#freshUntil = Number.NEGATIVE_INFINITY;
        return this.#channel.leave();
      })
      .catch(() => {
        // Others wait for it until it has been silent for too long.
      })
      .finally(() => {
        if (this.#leaving === leaving) this.#leaving = null;
      });
    this.#leaving = leaving;
    return leaving;
  }
}
