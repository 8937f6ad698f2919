import type { Confirmation } from '../../../ports/store.js';

/** A question to all listening processes, until they have answered. */
export class Question {
  readonly #answers = new Set<string>();
  #live: readonly string[] | null = null;
  #isDue = false;
  #wake = () => {};

  /** Whether the processes that must answer are known. */
  get isAsked(): boolean {
    return this.#live !== null;
  }

  /** Sets the processes that are live now. Dead ones are not waited for. */
  asked(live: readonly string[]): void {
    this.#live = live;
  }

  answered(instance: string): void {
    this.#answers.add(instance);
    if (this.isAnswered) this.wake();
  }

  get isAnswered(): boolean {
    return this.isAsked && this.result.missing === 0;
  }

  get result(): Confirmation {
    const missing = (this.#live ?? []).filter((instance) => !this.#answers.has(instance)).length;
    return { acknowledged: this.#answers.size, missing };
  }

  /** Ends the wait: all have answered, or the question should be asked again. */
  wake(): void {
    this.#isDue = true;
    this.#wake();
  }

  /** Waits until {@link wake}, or for this many milliseconds. */
  async wait(milliseconds: number): Promise<void> {
    if (!this.#isDue && !this.isAnswered) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.max(0, milliseconds));
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#isDue = false;
  }
}
