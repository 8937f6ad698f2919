import { isPosternError, PosternError } from '../domain/errors.js';
import type { ChangeQuery } from '../ports/changes.js';
import type { Observer } from '../ports/observer.js';
import type { Store, TokenQuery } from '../ports/store.js';
import { unpolluted } from './check.js';

/** Every method that a store must have. */
export const STORE_METHODS = [
  'findTokenByDigest',
  'findTokenByKeyId',
  'findToken',
  'listSecrets',
  'listTokens',
  'countTokens',
  'insertToken',
  'replaceToken',
  'revokeToken',
  'deleteToken',
  'listExpiredTokens',
  'recordUsage',
  'listUsage',
  'listDailyUsage',
  'trimDailyUsage',
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

/** What a query leaves out, of its own: so no store finds it in a polluted `Object.prototype`, whatever it does with the query. */
const NO_CONDITION = {
  owner: undefined,
  ownership: undefined,
  revoked: undefined,
  state: undefined,
  ends: undefined,
  type: undefined,
  actor: undefined,
  search: undefined,
  subject: undefined,
  after: undefined,
  until: undefined,
  offset: undefined,
} as const satisfies Partial<Record<keyof TokenQuery | keyof ChangeQuery, undefined>>;

/** The methods that a store lacks. */
export function missingMethods(store: unknown): readonly string[] {
  return STORE_METHODS.filter((method) => typeof (store as Record<string, unknown> | null)?.[method] !== 'function');
}

/**
 * A store without a feed, whose calls are all made by one function: it passes each on, as it came, to the method of the same name.
 *
 * @param call is handed a function that makes the call on a store, and the method's name
 */
export function passingOn(
  call: (pass: (store: Store) => Promise<unknown>, method: keyof Store) => Promise<unknown>,
): Required<Omit<Store, 'subscribe'>> {
  const methods = [...STORE_METHODS, 'confirm' as const].map((method) => [
    method,
    (...given: never[]) =>
      call(
        (store) => (store as Record<typeof method, (...all: never[]) => Promise<unknown>>)[method](...given),
        method,
      ),
  ]);
  return Object.fromEntries(methods);
}

/**
 * Wraps a store. Every failure becomes a `PosternError`: the store's own, or `unavailable`. After `close`, every call rejects
 * with `closed`.
 *
 * @param used called with each call
 * @param seen who sees the calls now
 */
export function guardedStore(store: Store, used: () => void, seen: { readonly observer: Observer | null }): Store {
  let closing: Promise<void> | null = null;
  const call = async <T>(work: () => Promise<T>, method: keyof Store): Promise<T> => {
    if (closing !== null) throw new PosternError('closed', 'this postern is closed: create another one');
    used();
    const { observer } = seen;
    return observer === null ? attempt(work, method) : observer.store(method, () => attempt(work, method));
  };
  const { confirm, ...required } = passingOn((pass, method) => call(() => pass(store), method));
  const subscribe = unpolluted(store, 'subscribe');
  return {
    ...required,
    listTokens: (query) => required.listTokens({ ...NO_CONDITION, ...query }),
    countTokens: (filter, atMost) => required.countTokens({ ...NO_CONDITION, ...filter }, atMost),
    listEndpoints: (query) => required.listEndpoints({ ...NO_CONDITION, ...query }),
    listChanges: (query) => required.listChanges({ ...NO_CONDITION, ...query }),
    ...(subscribe && { subscribe: (listener) => subscribe.call(store, listener) }),
    ...(unpolluted(store, 'confirm') && { confirm }),
    close: () => {
      closing ??= attempt(() => store.close(), 'close');
      return closing;
    },
  };
}

async function attempt<T>(work: () => Promise<T>, method: keyof Store): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isPosternError(error)) throw error;
    const outcome = READING.test(method) ? 'Nothing was changed' : 'It is unknown whether anything was changed';
    throw new PosternError('unavailable', `the store failed: ${messageOf(error)}. ${outcome}; try again`, {
      cause: error,
    });
  }
}

/** The methods that change nothing. */
const READING = /^(find|list|count)/;

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it gave no reason';
}
