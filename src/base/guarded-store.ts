import { isPosternError, PosternError } from '../domain/errors.js';
import type { ChangeQuery } from '../ports/changes.js';
import type { Observer } from '../ports/observer.js';
import type { Mirror, Store, StoreWithin, TokenQuery } from '../ports/store.js';
import { unpolluted } from './check.js';

/** Every method that a store must have. */
export const STORE_METHODS = [
  'findTokenByDigest',
  'findTokenByKeyId',
  'findToken',
  'listSecrets',
  'listTokens',
  'countTokens',
  'insertTokens',
  'replaceToken',
  'revokeToken',
  'deleteTokens',
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
  'findEntries',
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
): Required<Omit<Store, 'subscribe' | 'mirror' | 'within'>> {
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

/** Makes one call of a store. */
type Call = <T>(work: () => Promise<T>, method: string) => Promise<T>;

/**
 * Wraps a store. Every failure becomes a `PosternError`: the store's own, or `unavailable`. After `close`, every call rejects
 * with `closed`.
 *
 * @param used called with each call
 * @param seen who sees the calls now
 */
export function guardedStore(store: Store, used: () => void, seen: { readonly observer: Observer | null }): Store {
  let closing: Promise<void> | null = null;
  const calling =
    (outcomeOf: (method: string) => string): Call =>
    (work, method) => {
      if (closing !== null)
        return Promise.reject(new PosternError('closed', 'this postern is closed: create another one'));
      used();
      const { observer } = seen;
      if (observer === null) return attempt(work, method, outcomeOf);
      return observer.store(method, () => attempt(work, method, outcomeOf));
    };
  const call = calling(outcomeOf);
  const inTransaction = calling(() => UNWRITTEN);
  const { confirm, ...methods } = guardedMethods(store, call);
  const subscribe = unpolluted(store, 'subscribe');
  const within = unpolluted(store, 'within');
  const mirror = unpolluted(store, 'mirror');
  return {
    ...methods,
    ...(subscribe && { subscribe: (listener) => subscribe.call(store, listener) }),
    ...(unpolluted(store, 'confirm') && { confirm }),
    ...(within && {
      within: async (transaction, work) => {
        let failure: { readonly error: unknown } | null = null;
        const working = async (inner: StoreWithin) => {
          const lockEntry: StoreWithin['lockEntry'] = (...entry) =>
            inTransaction(() => inner.lockEntry(...entry), 'lockEntry');
          return work({ ...guardedMethods(inner, inTransaction), lockEntry }).catch((error) => {
            failure = { error };
            throw error;
          });
        };
        try {
          return await inTransaction(
            () => within.call(store, transaction, working) as ReturnType<typeof work>,
            'within',
          );
        } catch (error) {
          // An error of the caller's own function is not the store's.
          const own = failure as { readonly error: unknown } | null;
          throw own === null || isPosternError(own.error) ? error : own.error;
        }
      },
    }),
    ...(mirror && { mirror: guardedMirror(mirror, call) }),
    close: () => {
      closing ??= attempt(() => store.close(), 'close', outcomeOf);
      return closing;
    },
  };
}

function guardedMethods(store: Store | StoreWithin, call: Call) {
  const methods = passingOn((pass, method) => call(() => pass(store as Store), method));
  return {
    ...methods,
    listTokens: (query) => methods.listTokens({ ...NO_CONDITION, ...query }),
    countTokens: (filter, atMost) => methods.countTokens({ ...NO_CONDITION, ...filter }, atMost),
    listEndpoints: (query) => methods.listEndpoints({ ...NO_CONDITION, ...query }),
    listChanges: (query) => methods.listChanges({ ...NO_CONDITION, ...query }),
  } satisfies Partial<Store>;
}

function guardedMirror(mirror: Mirror, call: Call): Mirror {
  return {
    maxLag: mirror.maxLag,
    get lag() {
      return mirror.lag;
    },
    watch: (watcher) => mirror.watch(watcher),
    findTokenByDigest: (digests) => call(() => mirror.findTokenByDigest(digests), 'findTokenByDigest'),
    findTokenByKeyId: (keyIds) => call(() => mirror.findTokenByKeyId(keyIds), 'findTokenByKeyId'),
    findToken: (id) => call(() => mirror.findToken(id), 'findToken'),
    findEndpoint: (organization, id) => call(() => mirror.findEndpoint(organization, id), 'findEndpoint'),
    listEndpoints: (query) => call(() => mirror.listEndpoints({ ...NO_CONDITION, ...query }), 'listEndpoints'),
  };
}

async function attempt<T>(work: () => Promise<T>, method: string, outcomeOf: (method: string) => string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isPosternError(error)) throw error;
    throw new PosternError('unavailable', `the store failed: ${messageOf(error)}. ${outcomeOf(method)}`, {
      cause: error,
    });
  }
}

/** The methods that change nothing. */
const READING = /^(find|list|count)/;
const UNWRITTEN = 'Roll your transaction back, and begin it again';

function outcomeOf(method: string): string {
  const outcome = READING.test(method) ? 'Nothing was changed' : 'It is unknown whether anything was changed';
  return `${outcome}; try again`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'it gave no reason';
}
