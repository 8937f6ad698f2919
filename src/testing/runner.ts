/** The `describe` and `it` that jest, vitest, mocha, bun and `node:test` have in common. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

interface Globals {
  readonly describe?: unknown;
  readonly it?: unknown;
  /** Vitest's own exports for the running file (also `import.meta.vitest`), with or without globals. */
  readonly __vitest_index__?: unknown;
  readonly __vitest_worker__?: unknown;
  readonly process?: { getBuiltinModule?(id: string): unknown };
}

/**
 * Finds the test runner of the calling file: global `describe` and `it`, vitest without globals, else `node:test`. It imports
 * nothing, so that this module loads under all of them, and through `require` too.
 */
export function findRunner(globals: Globals = globalThis as unknown as Globals): TestRunner {
  const found = asRunner(globals) ?? asRunner(globals.__vitest_index__);
  if (found !== null) return found;
  // Under vitest, tests in node:test would run beside it and never fail it.
  const builtIn = '__vitest_worker__' in globals ? null : asRunner(globals.process?.getBuiltinModule?.('node:test'));
  if (builtIn !== null) return builtIn;
  throw new TypeError('testStore found no test runner here: pass one, testStore(name, makeStore, { describe, it })');
}

/** Checks a given runner; `null` if it is none. */
export function asRunner(value: unknown): TestRunner | null {
  const { describe, it } = (value ?? {}) as Record<string, unknown>;
  if (typeof describe !== 'function' || typeof it !== 'function') return null;
  return {
    describe: (name, body) => describe(name, body),
    it: (name, body) => it(name, body),
  };
}
