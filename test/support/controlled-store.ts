import { memoryStore } from 'postern';
import type { Store } from 'postern/store';

type Method = Exclude<keyof Store, 'subscribe'>;

/** A call that was stopped on its way to, or back from, the store. */
export interface Held {
  /** Lets it go on. */
  release(): void;
}

export interface ControlledStore extends Store {
  /** Calls so far, by method. */
  readonly calls: Map<Method, number>;
  /** How often one of these methods was called; with none named: any that reads or writes. */
  count(...methods: Method[]): number;
  /**
   * Stops each later call of a method: `before` it reaches the store, or `after`, with its answer in hand. Each stopped call
   * is handed to whoever awaits `next`.
   */
  hold(method: Method, where: 'before' | 'after'): { next(): Promise<Held>; end(): void };
  /** Makes a method reject, or throw synchronously, until `mend`. With `written`: after it has done its work. */
  fail(method: Method, how: 'reject' | 'throw' | 'written', error?: unknown): void;
  /** Makes a method's answer something else, until `mend`. */
  answer(method: Method, value: (real: unknown) => unknown): void;
  mend(): void;
}

/** A store whose calls are counted, stopped, failed and spoilt at a test's wish. */
export function controlledStore(inner: Store = memoryStore(), options: { feed?: boolean } = {}): ControlledStore {
  const calls = new Map<Method, number>();
  const failures = new Map<Method, { how: 'reject' | 'throw' | 'written'; error: unknown }>();
  const answers = new Map<Method, (real: unknown) => unknown>();
  const gates = new Map<Method, { where: 'before' | 'after'; arrive(held: Held): void }>();

  const stop = (method: Method): Promise<void> =>
    new Promise((resolve) => gates.get(method)?.arrive({ release: resolve }));

  function call(method: Method, args: unknown[]): unknown {
    calls.set(method, (calls.get(method) ?? 0) + 1);
    const failure = failures.get(method);
    if (failure?.how === 'throw') throw failure.error;
    return run(method, args, failure);
  }

  async function run(method: Method, args: unknown[], failure: { how: string; error: unknown } | undefined) {
    if (failure?.how === 'reject') throw failure.error;
    if (gates.get(method)?.where === 'before') await stop(method);
    const real = await (inner[method] as (...args: unknown[]) => Promise<unknown>)(...args);
    if (gates.get(method)?.where === 'after') await stop(method);
    if (failure?.how === 'written') throw failure.error;
    const answer = answers.get(method);
    return answer ? answer(real) : real;
  }

  // Whatever methods the port has: one that is added needs no change here.
  const methods = Object.entries(inner)
    .filter(([name, value]) => typeof value === 'function' && name !== 'subscribe')
    .map(([name]) => name as Method);
  const wrapped = Object.fromEntries(methods.map((method) => [method, (...args: unknown[]) => call(method, args)]));
  return {
    ...(wrapped as unknown as Store),
    ...(options.feed !== false && { subscribe: (listener) => inner.subscribe?.(listener) ?? (() => {}) }),
    calls,
    count: (...of) => (of.length > 0 ? of : methods).reduce((sum, method) => sum + (calls.get(method) ?? 0), 0),
    hold(method, where) {
      const arrived: Held[] = [];
      const waiting: ((held: Held) => void)[] = [];
      gates.set(method, {
        where,
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
    answer: (method, value) => void answers.set(method, value),
    mend() {
      failures.clear();
      answers.clear();
    },
  };
}
