/**
 * What the core takes from the JavaScript runtime, and all that it takes: nothing here is imported, so the core loads
 * anywhere; what a runtime lacks is left out or asked for as an option.
 */
interface Globals {
  readonly process?: {
    getBuiltinModule?(id: string): unknown;
    readonly env?: Readonly<Record<string, string | undefined>>;
  };
  readonly crypto?: { getRandomValues?<T extends Uint8Array>(array: T): T; readonly subtle?: Subtle };
  setTimeout?(callback: () => void, milliseconds: number): unknown;
  clearTimeout?(timer: unknown): void;
  readonly console?: { error?(text: string): void };
  setImmediate?(callback: () => void): unknown;
  readonly performance?: { now(): number };
}

/** What is used of the Web Crypto API's `SubtleCrypto`. */
interface Subtle {
  importKey(format: string, data: Uint8Array, algorithm: Algorithm, extractable: boolean, uses: string[]): Promise<Key>;
  exportKey(format: 'jwk', key: Key): Promise<{ readonly x?: string }>;
  verify(algorithm: Algorithm, key: Key, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
}

interface Algorithm {
  readonly name: string;
}

/** A `CryptoKey`: nobody looks into it. */
type Key = object;

interface NodeCrypto {
  hash?(algorithm: string, data: string, encoding: string): string;
}

const globals = globalThis as unknown as Globals;

/** Node's own synchronous hash, where there is one (`crypto.hash`: Node 20.12, Bun, Deno). */
export function nativeHash(): ((text: string) => string) | null {
  const crypto = globals.process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
  const hash = crypto?.hash;
  return typeof hash === 'function' ? (text) => hash('sha256', text, 'latin1') : null;
}

/** Random bytes of the Web Crypto API, or `null` where the runtime has none. */
export function webRandom(): ((length: number) => Uint8Array) | null {
  const crypto = globals.crypto;
  return typeof crypto?.getRandomValues === 'function'
    ? (length) => crypto.getRandomValues?.(new Uint8Array(length)) as Uint8Array
    : null;
}

/** The Web Crypto API, or `null` where the runtime has none (a page that was not loaded over https). */
export function subtleCrypto(): Subtle | null {
  return globals.crypto?.subtle ?? null;
}

/** Calls back once after a while, without keeping the process alive. Returns what cancels it. */
export function after(milliseconds: number, callback: () => void): () => void {
  if (typeof globals.setTimeout !== 'function') return () => {};
  const timer = globals.setTimeout(callback, milliseconds);
  (timer as { unref?(): void } | null)?.unref?.();
  return () => globals.clearTimeout?.(timer);
}

/** Waits, and keeps the process alive meanwhile. */
export function delay(milliseconds: number): Promise<void> {
  const { setTimeout } = globals;
  if (typeof setTimeout !== 'function') return Promise.reject(new Error('this runtime has no timers'));
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Tells whoever runs the process. Never throws. */
export function printError(text: string): void {
  try {
    globals.console?.error?.(text);
  } catch {}
}

/** Whether people may be told more than strangers should read. What doesn't say what it is counts as production. */
export function isDevelopment(): boolean {
  const { env } = globals.process ?? {};
  return env !== undefined && env.NODE_ENV !== 'production';
}
const { setImmediate, setTimeout: later, performance } = globals;

/** Milliseconds of a clock that nobody sets. */
export const elapsed: () => number = performance ? () => performance.now() : Date.now;

/** Calls back once the event loop has turned: after whatever waits for it now. */
export const onNextTurn: (callback: () => void) => unknown =
  setImmediate ?? ((callback) => (later ? later(callback, 0) : callback()));
