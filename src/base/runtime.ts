/**
 * Everything that the core uses of the JavaScript runtime. Nothing is imported, so the core loads anywhere. A missing part is
 * left out, or must be given as an option.
 */
interface Globals {
  readonly process?: {
    getBuiltinModule?(id: string): unknown;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly versions?: Readonly<Record<string, string | undefined>>;
  };
  readonly crypto?: { getRandomValues?<T extends Uint8Array>(array: T): T; readonly subtle?: Subtle };
  setTimeout?(callback: () => void, milliseconds: number): unknown;
  clearTimeout?(timer: unknown): void;
  readonly navigator?: { readonly userAgent?: string };
  readonly console?: { error?(text: string): void };
  setImmediate?(callback: () => void): unknown;
  readonly performance?: { now(): number };
}

/** The used part of the Web Crypto API's `SubtleCrypto`. */
interface Subtle {
  importKey(format: string, data: Uint8Array, algorithm: Algorithm, extractable: boolean, uses: string[]): Promise<Key>;
  exportKey(format: 'jwk', key: Key): Promise<{ readonly x?: string }>;
  verify(algorithm: Algorithm, key: Key, signature: Uint8Array, data: Uint8Array): Promise<boolean>;
}

interface Algorithm {
  readonly name: string;
}

/** A `CryptoKey`, used as an opaque value. */
type Key = object;

interface NodeBuffer {
  readonly Buffer?: { from(text: string, encoding: 'base64url'): { toString(encoding: 'latin1'): string } };
}

interface NodeCrypto {
  hash?(algorithm: string, data: string, encoding: string): string;
  verify?: NodeVerifier['verify'];
  readonly KeyObject?: { from?: NodeVerifier['keyOf'] };
  createPrivateKey?(key: object): { export(form: object): { readonly x?: string } };
}

/** The used part of Node's `crypto`, to verify signatures. */
export interface NodeVerifier {
  verify(hash: string | null, data: Uint8Array, key: object, signature: Uint8Array): boolean;
  /** The `KeyObject` of a `CryptoKey`. */
  keyOf(key: object): object;
}

const globals = globalThis as unknown as Globals;

/** The runtime's synchronous hash (`crypto.hash`: Node 20.12, Bun, Deno), or `null`. */
export function nativeHash(): ((text: string) => string) | null {
  const hash = nodeCrypto()?.hash;
  return typeof hash === 'function' ? (text) => hash('sha256', text, 'latin1') : null;
}

/** Node's own decoder of base64url, to one character a byte, or `null`. It does not check its input. */
export function nativeBase64url(): ((text: string) => string) | null {
  const { Buffer } = ((isNode() && globals.process?.getBuiltinModule?.('node:buffer')) || {}) as NodeBuffer;
  return Buffer === undefined ? null : (text) => Buffer.from(text, 'base64url').toString('latin1');
}

/** Node's own verification of signatures, or `null`. */
export function nodeVerifier(): NodeVerifier | null {
  const { verify, KeyObject } = (isNode() && nodeCrypto()) || {};
  return verify && KeyObject?.from ? { verify, keyOf: KeyObject.from } : null;
}

/**
 * The public half of an Ed25519 seed (both base64url) by Node's own keys, or `null`. In Node 20 it takes a tenth of the Web Crypto
 * API's time, which reads PKCS #8.
 */
export function nodePublicHalf(): ((seed: string) => string | undefined) | null {
  const { createPrivateKey } = (isNode() && nodeCrypto()) || {};
  if (createPrivateKey === undefined) return null;
  const publicHalf = (d: string) =>
    createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', d, x: ED25519_TEST.x }, format: 'jwk' }).export({
      format: 'jwk',
    }).x;
  try {
    // Some versions make the key of `d` alone, others compare it with `x`. The seed is another than that of `x`.
    return publicHalf(ED25519_TEST.other.d) === ED25519_TEST.other.x ? publicHalf : null;
  } catch {
    return null;
  }
}

/** RFC 8032 section 7.1: the public key of test 1, and both halves of test 2. */
const ED25519_TEST = {
  x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  other: { d: 'TM0Imyj_ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U-4pvs', x: 'PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw' },
};

/** Other runtimes have modules of the same name, but other answers: they were never compared. */
function isNode(): boolean {
  const { node, uv, bun, deno } = globals.process?.versions ?? {};
  // Workers show all of Node's versions, but are no Node. Node 20 has no `navigator`.
  const agent = globals.navigator?.userAgent ?? 'Node.js';
  return node !== undefined && uv !== undefined && bun === undefined && deno === undefined && /^Node\.js/.test(agent);
}

function nodeCrypto(): NodeCrypto | undefined {
  return globals.process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
}

/** Random bytes of the Web Crypto API, or `null` if the runtime has none. */
export function webRandom(): ((length: number) => Uint8Array) | null {
  const crypto = globals.crypto;
  return typeof crypto?.getRandomValues === 'function'
    ? (length) => crypto.getRandomValues?.(new Uint8Array(length)) as Uint8Array
    : null;
}

/** The Web Crypto API, or `null` if the runtime has none (a page that was not loaded over https). */
export function subtleCrypto(): Subtle | null {
  return globals.crypto?.subtle ?? null;
}

/** Calls back once after this time, without keeping the process alive. Returns a function that cancels it. */
export function after(milliseconds: number, callback: () => void): () => void {
  if (typeof globals.setTimeout !== 'function') return () => {};
  const timer = globals.setTimeout(callback, milliseconds);
  (timer as { unref?(): void } | null)?.unref?.();
  return () => globals.clearTimeout?.(timer);
}

/** Waits. The process stays alive until then. */
export function delay(milliseconds: number): Promise<void> {
  const { setTimeout } = globals;
  if (typeof setTimeout !== 'function') return Promise.reject(new Error('this runtime has no timers'));
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

/** Prints for the operator. Never throws. */
export function printError(text: string): void {
  try {
    globals.console?.error?.(text);
  } catch {}
}

/** Whether answers may show internals. A runtime without an environment counts as production. */
export function isDevelopment(): boolean {
  const { env } = globals.process ?? {};
  return env !== undefined && env.NODE_ENV !== 'production';
}
const { setImmediate, setTimeout: later, performance } = globals;

/** Milliseconds of a monotonic clock, if the runtime has one. */
export const elapsed: () => number = performance ? () => performance.now() : Date.now;

/** Calls back in the next turn of the event loop, after everything that is queued now. */
export const onNextTurn: (callback: () => void) => unknown =
  setImmediate ?? ((callback) => (later ? later(callback, 0) : callback()));
