import { isPosternError, PosternError } from '../domain/errors.js';
import type { Store } from './ports.js';

const METHODS = [
  'findTokenByDigest',
  'findToken',
  'listTokens',
  'insertToken',
  'replaceToken',
  'deleteToken',
  'listExpiredTokens',
  'recordUsage',
  'listUsage',
  'listChanges',
  'findEndpoint',
  'listEndpoints',
  'insertEndpoint',
  'replaceEndpoint',
  'deleteEndpoint',
  'close',
] as const satisfies readonly (keyof Store)[];

/** The methods that a store lacks. */
export function missingMethods(store: unknown): readonly string[] {
  return METHODS.filter((method) => typeof (store as Record<string, unknown> | null)?.[method] !== 'function');
}

/**
 * A store whose every failure, thrown or rejected, is a `PosternError`: its own where it gave one, `unavailable` otherwise.
 * After `close` it answers `closed`.
 */
export function guardedStore(store: Store): Store {
  let closing: Promise<void> | null = null;
  const call = async <T>(work: () => Promise<T>): Promise<T> => {
    if (closing !== null) throw new PosternError('closed', 'this postern is closed: create another one');
    return attempt(work);
  };
  return {
    findTokenByDigest: (digests) => call(() => store.findTokenByDigest(digests)),
    findToken: (id) => call(() => store.findToken(id)),
    listTokens: (query) => call(() => store.listTokens(query)),
    insertToken: (token, secret, change) => call(() => store.insertToken(token, secret, change)),
    replaceToken: (token, version, rotation, change) =>
      call(() => store.replaceToken(token, version, rotation, change)),
    deleteToken: (id, change) => call(() => store.deleteToken(id, change)),
    listExpiredTokens: (organization, before, limit) =>
      call(() => store.listExpiredTokens(organization, before, limit)),
    recordUsage: (usages) => call(() => store.recordUsage(usages)),
    listUsage: (id) => call(() => store.listUsage(id)),
    listChanges: (query) => call(() => store.listChanges(query)),
    findEndpoint: (organization, id) => call(() => store.findEndpoint(organization, id)),
    listEndpoints: (query) => call(() => store.listEndpoints(query)),
    insertEndpoint: (endpoint, change) => call(() => store.insertEndpoint(endpoint, change)),
    replaceEndpoint: (endpoint, version, change) => call(() => store.replaceEndpoint(endpoint, version, change)),
    deleteEndpoint: (organization, id, change) => call(() => store.deleteEndpoint(organization, id, change)),
    ...(store.subscribe && { subscribe: (listener) => store.subscribe?.(listener) ?? (() => {}) }),
    ...(store.confirm && {
      confirm: (timeout) => call(() => (store.confirm as NonNullable<Store['confirm']>)(timeout)),
    }),
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
      `the store failed: ${messageOf(error)}. Nothing is known to be changed; try again`,
      {
        cause: error,
      },
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it gave no reason';
}
