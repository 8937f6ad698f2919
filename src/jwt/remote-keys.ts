import { z } from 'zod';
import { duration } from '../base/duration-input.js';
import type { Duration } from '../domain/duration.js';
import { PosternError } from '../domain/errors.js';
import type { Clock } from '../ports/environment.js';
import type { SignatureAlgorithm } from './algorithms.js';
import { discoveryUrl, keysIn } from './discovery.js';
import { type Fetch, fetchJson, KeyServerFault } from './fetch-json.js';
import { isKeySet, type LocalKeys, localKeys } from './local-keys.js';
import type { KeyQuery, VerificationKeys } from './verify.js';

/** How a key server is asked. */
export interface KeyServerOptions {
  /** What fetches, in place of the runtime's `fetch`. It must not follow redirects. */
  readonly fetch?: Fetch | undefined;
  /** The least time between two requests, whatever tokens arrive. Default `'30s'`. */
  readonly cooldown?: Duration | undefined;
  /** How long keys are used without asking again. Default `'10m'`. */
  readonly maxAge?: Duration | undefined;
  /**
   * For how long beyond `maxAge` the keys that are known are used while the server does not answer. Default `'1h'`. A key that
   * is withdrawn meanwhile is not known to be.
   */
  readonly staleIfUnavailable?: Duration | undefined;
  /** How long an answer is waited for. Default `'5s'`. */
  readonly timeout?: Duration | undefined;
}

export interface RemoteKeysOptions {
  /** The address of a key set, or the identifier of an issuer that names it (OpenID Connect Discovery 1.0). */
  readonly server: URL | string;
  readonly settings: KeyServerSettings;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: Clock | undefined;
  /** Told of a request that failed, where it fails no call: the keys that were known go on. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/** The options of a key server, as fields of the options that they are part of. */
export const keyServerFields = {
  fetch: z.custom<Fetch>((value) => typeof value === 'function', 'give a function like fetch').optional(),
  cooldown: duration('30s', { least: '1s' }).optional(),
  maxAge: duration('30s', { least: '1s' }).optional(),
  staleIfUnavailable: duration('1h').optional(),
  timeout: duration('5s', { least: '1ms' }).optional(),
};

/** The options, checked and completed. In milliseconds. */
export interface KeyServerSettings {
  readonly fetch: Fetch;
  readonly cooldown: number;
  readonly maxAge: number;
  readonly staleIfUnavailable: number;
  readonly timeout: number;
}

/**
 * @param given what `keyServerFields` read
 * @throws PosternError `option_invalid`
 */
export function keyServerSettings(
  given: { readonly [K in keyof KeyServerSettings]?: KeyServerSettings[K] | undefined },
  what: string,
): KeyServerSettings {
  const settings = {
    fetch: given.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    cooldown: given.cooldown ?? 30_000,
    maxAge: given.maxAge ?? 600_000,
    staleIfUnavailable: given.staleIfUnavailable ?? 3_600_000,
    timeout: given.timeout ?? 5_000,
  };
  if (settings.cooldown <= settings.maxAge) return settings;
  throw new PosternError('option_invalid', 'is longer than maxAge: keys would get older than that', {
    path: 'cooldown',
    input: what,
  });
}

/**
 * Verifies with the keys of a server. They are fetched when they are first needed; then when they are older than `maxAge`, or
 * when a token names a key that is not among them, but never twice within `cooldown` and never twice at once: what strangers
 * write into a `kid` makes no load. Where the server fails, the keys that are known go on for `staleIfUnavailable`; beyond
 * that, and for a key that nobody can be asked about, `find` rejects.
 */
export function remoteKeys(options: RemoteKeysOptions): VerificationKeys {
  const { server, settings, algorithms, clock = Date.now, onFault } = options;
  const get = (url: URL) => fetchJson(url, settings.fetch, settings.timeout);
  const fetchKeys = async (): Promise<LocalKeys> => {
    const url = typeof server === 'string' ? keysIn(await get(discoveryUrl(server)), server) : server;
    const keys = await get(url);
    if (isKeySet(keys)) return localKeys(keys, algorithms);
    throw new KeyServerFault(`${url.origin}${url.pathname} answered with something else than a JSON Web Key Set`);
  };
  const keys = new RemoteKeys(settings, fetchKeys, clock, onFault ?? (() => {}));
  // A server is not asked about what it could not change.
  return { find: async (query) => ((algorithms as readonly string[]).includes(query.alg) ? keys.find(query) : null) };
}

class RemoteKeys implements VerificationKeys {
  readonly #settings: KeyServerSettings;
  readonly #fetchKeys: () => Promise<LocalKeys>;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  #keys: LocalKeys | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #askedAt = Number.NEGATIVE_INFINITY;
  /** Why the last request failed; `null`: it did not. */
  #failure: unknown = null;
  #asking: Promise<void> | null = null;

  constructor(
    settings: KeyServerSettings,
    fetchKeys: () => Promise<LocalKeys>,
    clock: Clock,
    onFault: (error: unknown) => void,
  ) {
    this.#settings = settings;
    this.#fetchKeys = fetchKeys;
    this.#clock = clock;
    this.#onFault = onFault;
  }

  async find(query: KeyQuery): Promise<CryptoKey | readonly CryptoKey[] | null> {
    const now = this.#clock();
    if (this.#ageAt(now) >= this.#settings.maxAge) await this.#renew(now);
    const found = await this.#keysAt(now).find(query);
    if (found !== null) return found;
    // It may be a new key's name. Nothing tells that from an invented one.
    await this.#ask(now);
    if (this.#failure !== null) throw this.#failure;
    return this.#keysAt(now).find(query);
  }

  /** After a first failure nobody waits for the next one: the keys that are known serve, and the server is asked beside that. */
  #renew(now: number): Promise<void> {
    const asking = this.#ask(now);
    return this.#failure !== null && this.#isUsable(now) ? Promise.resolve() : asking;
  }

  /** Asks the server, unless it was asked lately. Never rejects. */
  #ask(now: number): Promise<void> {
    if (this.#asking !== null) return this.#asking;
    if (distance(now, this.#askedAt) < this.#settings.cooldown) return Promise.resolve();
    this.#askedAt = now;
    this.#asking = this.#fetchKeys()
      .then(
        (keys) => {
          this.#keys = keys;
          this.#fetchedAt = now;
          this.#failure = null;
        },
        (error: unknown) => {
          this.#failure = error;
          if (this.#keys !== null) this.#onFault(error);
        },
      )
      .finally(() => {
        this.#asking = null;
      });
    return this.#asking;
  }

  #keysAt(now: number): LocalKeys {
    if (this.#keys !== null && this.#isUsable(now)) return this.#keys;
    throw this.#failure;
  }

  #isUsable(now: number): boolean {
    const { maxAge, staleIfUnavailable } = this.#settings;
    return this.#ageAt(now) < (this.#failure === null ? maxAge : maxAge + staleIfUnavailable);
  }

  #ageAt(now: number): number {
    return distance(now, this.#fetchedAt);
  }
}

/** Of two readings of a clock, whichever is later: one that was set back must not make keys young for as long. */
function distance(a: number, b: number): number {
  return Math.abs(a - b);
}
