import { isPosternError, PosternError } from '../domain/errors.js';
import type { Store } from '../ports/store.js';

/** Every method that a store must have. */
export const STORE_METHODS = [
  'findTokenByDigest',
  'findTokenByKeyId',
  'findToken',
  'listTokens',
  'countTokens',
  'insertToken',
  'replaceToken',
  'revokeToken',
  'deleteToken',
  'listExpiredTokens',
  'recordUsage',
  'listUsage',
  'listChanges',
  'trimChanges',
  'findEndpoint',
  'findEndpoints',
  'listEndpoints',
  'insertEndpoint',
  'replaceEndpoint',
  'deleteEndpoint',
  'findEntry',
  'putEntry',
  'deleteEntry',
  'trimEntries',
  'close',
] as const satisfies readonly (keyof Store)[];

/** The methods that a store lacks. */
export function missingMethods(store: unknown): readonly string[] {
  return STORE_METHODS.filter((method) => typeof (store as Record<string, unknown> | null)?.[method] !== 'function');
}

/**
 * Wraps a store. Every failure becomes a `PosternError`: the store's own, or `unavailable`. After `close`, every call rejects
 * with `closed`.
 */
export function guardedStore(store: Store): Store {
  let closing: Promise<void> | null = null;
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing !== null) throw new PosternError('closed', 'this postern is closed: create another one');
    return attempt(work);
  };
  const guarded = Object.fromEntries(
    [...STORE_METHODS, 'confirm' as const].map((method) => [
      method,
      // biome-ignore lint/suspicious/noExplicitAny: each call is passed on as it came, to the method of the same name
      (...given: any[]) => call(() => (store[method] as (...all: any[]) => Promise<unknown>)(...given)),
    ]),
  ) as unknown as Required<Store>;
  const { confirm, ...required } = guarded;
  return {
    ...required,
    ...(store.subscribe && { subscribe: (listener) => store.subscribe?.(listener) ?? (() => {}) }),
    ...(store.confirm && { confirm }),
    close: () => {
      closing ??= attempt(() => store.close());
      return closing;
    },
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isPosternError(error)) throw error;
    throw new PosternError(
      'unavailable',
      `the store failed: ${messageOf(error)}. It is unknown whether anything was changed; try again`,
      {
        cause: error,
      },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it gave no reason';
}
