/**
 * Runs work while `Object.prototype` has these keys, and always removes them. Put expectations outside, because the test runner's own code
 * is polluted too.
 */
export async function polluted<T>(keys: Readonly<Record<string, unknown>>, work: () => Promise<T> | T): Promise<T> {
  try {
    for (const [key, value] of Object.entries(keys)) {
      Object.defineProperty(Object.prototype, key, { value, configurable: true, enumerable: true, writable: true });
    }
    return await work();
  } finally {
    for (const key of Object.keys(keys)) Reflect.deleteProperty(Object.prototype, key);
  }
}
