import { elapsed } from '../deadline.js';
import type { Channel } from './channel.js';

/** Whether this process counts as live. Confirmations wait for live processes. */
export class Presence {
  readonly #channel: Channel;
  /** How long it counts as live after each sign of life. Milliseconds. */
  readonly lifetime: number;
  #freshUntil = Number.NEGATIVE_INFINITY;
  #entering: Promise<void> | null = null;
  #leaving: Promise<void> | null = null;

  constructor(channel: Channel, lifetime: number) {
    this.#channel = channel;
    this.lifetime = lifetime;
  }

  /** Resolves once the process surely counts as live in the database. */
  async ensure(): Promise<void> {
    if (this.#leaving !== null || elapsed() >= this.#freshUntil) await this.enter();
  }

  /** Resolves when the last {@link leave} is done. */
  get gone(): Promise<void> {
    return this.#leaving ?? Promise.resolve();
  }

  enter(): Promise<void> {
    this.#entering ??= this.during(() => this.#channel.enter(this.lifetime)).finally(() => {
      this.#entering = null;
    });
    return this.#entering;
  }

  /** @param say sends a sign of life. It is never called while the process is being removed, which would undo it */
  async during(say: () => Promise<void>): Promise<void> {
    await this.#leaving;
    const at = elapsed();
    await say();
    this.#freshUntil = at + this.lifetime;
  }

  /**
   * Resolves when no trace of it is left.
   *
   * @param saying a running call that may still send a sign of life
   */
  leave(saying: Promise<unknown> | null): Promise<void> {
    const leaving = Promise.allSettled([saying, this.#entering, this.#leaving])
      .then(() => {
        this.#freshUntil = Number.NEGATIVE_INFINITY;
        return this.#channel.leave();
      })
      .catch(() => {
        // It stops counting as live after `lifetime`. Until then others wait for it.
      })
      .finally(() => {
        if (this.#leaving === leaving) this.#leaving = null;
      });
    this.#leaving = leaving;
    return leaving;
  }
}
