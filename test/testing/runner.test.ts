import { memoryStore } from 'postern';
import { type TestRunner, testStore } from 'postern/testing';
import { describe, expect, it } from 'vitest';
import { findRunner } from '../../src/testing/runner.js';

/** A runner that registers, and runs nothing. */
function collecting(): TestRunner & { readonly names: string[] } {
  const names: string[] = [];
  return {
    names,
    describe: (name, body) => {
      names.push(name);
      body();
    },
    it: (name) => void names.push(name),
  };
}

const named = (name: string, found: string[]) => ({
  describe: () => found.push(name),
  it: () => found.push(name),
});

describe('the runner', () => {
  it.each<[string, object, string]>([
    ['global describe and it, before all', { ...named('globals', []) }, 'globals'],
    ['vitest without globals', {}, 'vitest'],
  ])('%s', (_, own, expected) => {
    const found: string[] = [];
    const globals = {
      ...(Object.keys(own).length > 0 && named('globals', found)),
      __vitest_index__: named('vitest', found),
      __vitest_worker__: {},
      process: { getBuiltinModule: () => named('node:test', found) },
    };
    const runner = findRunner(globals);
    runner.describe('x', () => {});
    runner.it('x', async () => {});
    expect(found).toEqual([expected, expected]);
  });

  it('node:test where there is no other', () => {
    const found: string[] = [];
    findRunner({ process: { getBuiltinModule: () => named('node:test', found) } }).describe('x', () => {});
    expect(found).toEqual(['node:test']);
  });

  it('is asked for where there is none, and where node:test would run beside vitest unseen', () => {
    expect(() => findRunner({})).toThrow(/testStore\(name, makeStore, \{ describe, it \}\)/);
    const hidden = { __vitest_worker__: {}, process: { getBuiltinModule: () => named('node:test', []) } };
    expect(() => findRunner(hidden)).toThrow(TypeError);
  });

  it('can be handed over, and nothing else can be in its place', () => {
    const runner = collecting();
    testStore('mine', memoryStore, runner);
    expect(runner.names[0]).toBe('mine');
    expect(runner.names.length).toBeGreaterThan(50);
    expect(new Set(runner.names).size).toBe(runner.names.length);
    expect(() => testStore('mine', memoryStore, {} as never)).toThrow(TypeError);
  });
});

// Registered the way that a user's file does it: what runs, and in whose suite, is seen below.
const made: unknown[] = [];
describe('under vitest without globals', () => {
  testStore('a store', () => {
    const store = memoryStore();
    made.push(store);
    return store;
  });
  it('the tests belong to the file and the suite that they were registered in', ({ task }) => {
    const suite = task.suite?.tasks.find(({ name }) => name === 'a store');
    expect(suite?.type).toBe('suite');
    expect(made.length).toBeGreaterThan(50);
  });
});
