import { randomUUID } from 'node:crypto';
import type { Confirmation } from '../../ports/store.js';
import type { Connection } from './connection.js';
import { ask } from './presence.js';

/** Questions that wait for their answers. */
export class Confirmations {
  readonly #asked = new Map<string, (instance: string) => void>();

  answered(request: string, instance: string): void {
    this.#asked.get(request)?.(instance);
  }

  /**
   * Asks all who listen whether they were told, and again after each `interval`: by then one of them may have ended, or have
   * lost its feed and found it again.
   *
   * @param timeout milliseconds, like `interval`
   * @throws Error where Redis never said who listens
   */
  async ask(connection: Connection, answerTo: string, timeout: number, interval: number): Promise<Confirmation> {
    const request = randomUUID();
    const giveUpAt = performance.now() + timeout;
    const acknowledged = new Set<string>();
    let wake = () => {};
    this.#asked.set(request, (instance) => {
      acknowledged.add(instance);
      wake();
    });
    try {
      let live: readonly string[] | null = null;
      let failure: unknown;
      for (;;) {
        try {
          live = await ask(connection, request, answerTo);
        } catch (error) {
          failure = error;
        }
        const missing = () => (live === null ? null : live.filter((instance) => !acknowledged.has(instance)).length);
        const askAgainAt = Math.min(performance.now() + interval, giveUpAt);
        while (missing() !== 0 && performance.now() < askAgainAt) {
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, askAgainAt - performance.now());
            wake = () => {
              clearTimeout(timer);
              resolve();
            };
          });
        }
        const left = missing();
        if (left === 0 || performance.now() >= giveUpAt) {
          if (left === null) throw failure;
          return { acknowledged: acknowledged.size, missing: left };
        }
      }
    } finally {
      this.#asked.delete(request);
    }
  }
}
