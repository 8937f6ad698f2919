import { describe, expect, test } from 'vitest';

/** Runs the tests of signed tokens in a runtime without Node's own functions, so that `jose` and Web Crypto verify. */
const real = Object.getOwnPropertyDescriptor(process, 'getBuiltinModule');
Object.defineProperty(process, 'getBuiltinModule', { value: undefined, configurable: true });

describe('without the functions of Node', async () => {
  try {
    const { isSignedBy, portableCheck } = await import('../../src/jwt/signature.js');
    test('jose verifies', () => expect(isSignedBy).toBe(portableCheck));
    await import('./verify.test.js');
    await import('./compact.test.js');
    await import('./access-claims.hostile.test.js');
    await import('./access-forged.hostile.test.js');
    await import('./trusted-issuer-forged.hostile.test.js');
    await import('./proofs.hostile.test.js');
    await import('./polluted.hostile.test.js');
  } finally {
    if (real) Object.defineProperty(process, 'getBuiltinModule', real);
    else Reflect.deleteProperty(process, 'getBuiltinModule');
  }
});
