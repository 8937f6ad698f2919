import { STORE_METHODS } from '../base/guarded-store.js';
import type { Store } from '../ports/store.js';
import { memoryStore } from '../stores/memory.js';

/** The name of a method that reads or writes. */
export type StoreMethod = Exclude<keyof Store, 'subscribe' | 'within'>;

/** A call that was stopped on its way to the store, or on its way back. */
export interface HeldCall {
  /** Lets it go on. */
  release(): void;
}

/** A store whose calls a test counts, stops, fails and changes. */
export interface ControlledStore extends Store {
  /** Calls so far, by method. */
  readonly calls: Map<StoreMethod, number>;
  /** The number of calls of these methods so far. Without names: of all of them. */
  count(...methods: StoreMethod[]): number;
  /**
   * Stops each later call of a method, `before` it reaches the store or `after`, with its answer in hand. `next` gives the
   * calls in turn, as they arrive; `end` stops no more.
   */
  hold(method: StoreMethod, when: 'before' | 'after'): { next(): Promise<HeldCall>; end(): void };
  /** Makes a method reject, or throw before it returns a promise, until `mend`. With `written` it does its work first. */
  fail(method: StoreMethod, how: 'reject' | 'throw' | 'written', error?: unknown): void;
  /** Makes every method reject, until `mend`. */
  failAll(error?: unknown): void;
  /** Changes the answers of a method, until `mend`. */
  answer(method: StoreMethod, change: (real: unknown) => unknown): void;
  /** Ends what `fail`, `failAll` and `answer` began. */
  mend(): void;
}

const controlled = new WeakSet<Store>();

export function isControlled(store: Store): store is ControlledStore {
  return controlled.has(store);
}

/**
 * Wraps a store so that a test can count, stop, fail and change its calls.
 *
 * @param inner default: a memory store
 * @param options with `feed: false` nothing is heard of changes that others made
 */
export function controlledStore(inner: Store = memoryStore(), options: { feed?: boolean } = {}): ControlledStore {
  const calls = new Map<StoreMethod, number>();
  const failures = new Map<StoreMethod, { how: 'reject' | 'throw' | 'written'; error: unknown }>();
  const answers = new Map<StoreMethod, (real: unknown) => unknown>();
  const gates = new Map<StoreMethod, { when: 'before' | 'after'; arrive(held: HeldCall): void }>();

  const stop = (method: StoreMethod): Promise<void> =>
    new Promise((resolve) => gates.get(method)?.arrive({ release: resolve }));

  function call(method: StoreMethod, args: unknown[]): unknown {
    calls.set(method, (calls.get(method) ?? 0) + 1);
    const failure = failures.get(method);
    if (failure?.how === 'throw') throw failure.error;
    return run(method, args, failure);
  }

  async function run(method: StoreMethod, args: unknown[], failure: { how: string; error: unknown } | undefined) {
    if (failure?.how === 'reject') throw failure.error;
    if (gates.get(method)?.when === 'before') await stop(method);
    const real = await (inner[method] as (...args: unknown[]) => Promise<unknown>).apply(inner, args);
    if (gates.get(method)?.when === 'after') await stop(method);
    if (failure?.how === 'written') throw failure.error;
    const answer = answers.get(method);
    return answer ? answer(real) : real;
  }

  const methods = [...STORE_METHODS, 'confirm' as const].filter((method) => inner[method] !== undefined);
  const wrapped = Object.fromEntries(methods.map((method) => [method, (...args: unknown[]) => call(method, args)]));
  const store: ControlledStore = {
    ...(wrapped as unknown as Store),
    ...(inner.within && { within: inner.within }),
    ...(options.feed !== false && { subscribe: (listener) => inner.subscribe?.(listener) ?? (() => {}) }),
    calls,
    count: (...of) => (of.length > 0 ? of : methods).reduce((sum, method) => sum + (calls.get(method) ?? 0), 0),
    hold(method, when) {
      const arrived: HeldCall[] = [];
      const waiting: ((held: HeldCall) => void)[] = [];
      gates.set(method, {
        when,
        arrive(held) {
          const taker = waiting.shift();
          if (taker) taker(held);
          else arrived.push(held);
        },
      });
      return {
        next: () => {
          const held = arrived.shift();
          return held ? Promise.resolve(held) : new Promise((resolve) => waiting.push(resolve));
        },
        end: () => gates.delete(method),
      };
    },
    fail: (method, how, error = new Error('the disk is gone')) => void failures.set(method, { how, error }),
    failAll(error = new Error('the disk is gone')) {
      for (const method of methods) if (method !== 'close') store.fail(method, 'reject', error);
    },
    answer: (method, change) => void answers.set(method, change),
    mend() {
      failures.clear();
      answers.clear();
    },
  };
  controlled.add(store);
  return store;
}
