import { type Denied, memoryStore, type PosternOptions } from 'postern';
import { controlledStore, createTestPostern } from 'postern/testing';
import { afterEach, beforeEach, vi } from 'vitest';
import { internalsOf } from '../../src/instance/internals.js';
import { leasesOf } from '../support/leases.js';

export interface Options extends Partial<Pick<PosternOptions, 'authenticators' | 'cache' | 'store'>> {
  readonly now?: Date;
  readonly feed?: boolean | undefined;
}

export type World = ReturnType<typeof createWorld>;
export type Attempt = Parameters<ReturnType<typeof internalsOf>['gate']['authorize']>[0];

/** The trimming's timer, which goes on until the instance is closed. */
export const TRIMMING = 1;
const READS = ['findTokenByDigest', 'findTokenByKeyId', 'findToken', 'listEndpoints', 'findEndpoint'] as const;

/** An instance on a store that counts. */
export function createWorld(options: Options = {}) {
  const { feed, store: inner = memoryStore(), ...rest } = options;
  const store = controlledStore(inner, feed === undefined ? {} : { feed });
  const test = createTestPostern({ ...rest, store });
  const { gate } = internalsOf(test.postern);
  const leases = leasesOf(test.postern);
  return {
    ...test,
    store,
    gate,
    leases,
    reads: () => store.count(...READS),
    /** Opens a lease, and notes each denial that ends it. */
    hold(attempt: Attempt) {
      const ended: Denied[] = [];
      const lease = leases.open(attempt, (denial) => ended.push(denial));
      return { ended, reasons: () => ended.map(({ reason }) => reason), close: () => lease.close() };
    },
    /** Lets time pass for the clock and the timers. */
    async pass(seconds: number) {
      for (let second = 0; second < seconds; second++) {
        test.clock.advance('1s');
        await vi.advanceTimersByTimeAsync(1_000);
        await settled();
      }
    },
  };
}

/** Resolves once everything that waits for no timer is done. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

export const models = { scope: 'models:read' } as const;
export const summarizer = { endpoint: 'summarizer' } as const;

/** A token that has everything. */
export const issue = (world: World, more = {}) =>
  world.issue({ scopes: ['models:read'], endpoints: ['summarizer'], expiresIn: '1h', ...more });

/** Timers stand still in every test of the file, as the clock of its world does. */
export function useFakeTimers(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
