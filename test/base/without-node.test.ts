import { describe, expect, test } from 'vitest';

/**
 * Runs tests of the core in a runtime whose own hash can not be reached, so each uses the portable one. Modules are loaded anew for each
 * test file, so it is enough to hide the hash during the import.
 */
const real = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule');
Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true });

describe('with the portable hash', async () => {
  try {
    const { hash, portableHash } = await import('../../src/base/digest.js');
    test('hash is the portable one', () => expect(hash).toBe(portableHash));
    await import('../deciding/decisions.test.js');
    await import('../managing/tokens-create.test.js');
    await import('../managing/tokens-change.test.js');
    await import('../managing/tokens-rotate.test.js');
    await import('../managing/tokens-end.test.js');
    await import('../instance/as-principal.test.js');
    await import('../deciding/cache.test.js');
    await import('../deciding/cache-changes.test.js');
    await import('../deciding/explain.test.js');
    await import('../managing/races.hostile.test.js');
    await import('./credentials.test.js');
  } finally {
    if (real) Object.defineProperty(process, 'getBuiltinModule', real);
    else Reflect.deleteProperty(process, 'getBuiltinModule');
  }
});
