import * as z from 'zod';
import { ownCopy } from '../base/check.js';
import { duration } from '../base/duration-input.js';
import type { Duration } from '../domain/duration.js';
import { PosternError } from '../domain/errors.js';
import type { Clock } from '../ports/environment.js';
import type { SignatureAlgorithm } from './algorithms.js';
import { discoveryUrl, keysIn } from './discovery.js';
import { type Fetch, fetchJson, KeyServerFault } from './fetch-json.js';
import { isKeySet, type LocalKeys, localKeys } from './local-keys.js';
import type { FoundKeys, KeyQuery, VerificationKeys } from './verify.js';

/** Options for the requests to a key server. */
export interface KeyServerOptions {
  /** Replaces the runtime's `fetch`. It must not follow redirects. */
  readonly fetch?: Fetch | undefined;
  /**
   * The least time between two requests for one cause: keys that are old, or a token that names an unknown key. Default `'30s'`.
   */
  readonly cooldown?: Duration | undefined;
  /** The age at which keys are fetched again. Default `'10m'`. */
  readonly maxAge?: Duration | undefined;
  /**
   * How long beyond `maxAge` known keys are used while the server does not answer. Default `'1h'`. During that time a withdrawal
   * is not noticed.
   */
  readonly staleIfUnavailable?: Duration | undefined;
  /** The longest wait for an answer. Default `'5s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * Lets keys and metadata be fetched over plain http from any host. Whoever can change that answer on its way can forge every
   * token of the issuer: for a key server inside a cluster whose network nobody else is in. Default `false`.
   */
  readonly allowInsecureKeys?: boolean | undefined;
}

export interface RemoteKeysOptions {
  /** The address of a key set, or the identifier of an issuer that names it (OpenID Connect Discovery 1.0). */
  readonly server: URL | string;
  readonly settings: KeyServerSettings;
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: Clock | undefined;
  /** Receives the error of a failed request if no call fails with it, because the known keys serve on. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/** The key server's part of an options schema. */
export const keyServerFields = {
  fetch: z.custom<Fetch>((value) => typeof value === 'function', 'give a function like fetch').optional(),
  cooldown: duration('30s', { least: '1s' }).optional(),
  maxAge: duration('30s', { least: '1s' }).optional(),
  staleIfUnavailable: duration('1h').optional(),
  timeout: duration('5s', { least: '1ms' }).optional(),
  allowInsecureKeys: z.boolean('use true or false').optional(),
};

/** The options, checked and completed. In milliseconds. */
export interface KeyServerSettings {
  readonly fetch: Fetch;
  readonly cooldown: number;
  readonly maxAge: number;
  readonly staleIfUnavailable: number;
  readonly timeout: number;
  readonly allowInsecureKeys: boolean;
}

/**
 * @param fields the values that `keyServerFields` read
 * @throws PosternError `option_invalid`
 */
export function keyServerSettings(
  fields: { readonly [K in keyof KeyServerSettings]?: KeyServerSettings[K] | undefined },
  what: string,
): KeyServerSettings {
  // A field that was left out is not looked for in `Object.prototype`.
  const given = ownCopy(fields);
  const settings = {
    fetch: given.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    cooldown: given.cooldown ?? 30_000,
    maxAge: given.maxAge ?? 600_000,
    staleIfUnavailable: given.staleIfUnavailable ?? 3_600_000,
    timeout: given.timeout ?? 5_000,
    allowInsecureKeys: given.allowInsecureKeys ?? false,
  };
  if (settings.cooldown <= settings.maxAge) return settings;
  throw new PosternError('option_invalid', 'is longer than maxAge: keys would get older than maxAge', {
    path: 'cooldown',
    input: what,
  });
}

/**
 * Verifies with the keys of a server. They are fetched on first use, then when they are older than `maxAge` or a token names an
 * unknown key: at once, so that a new key is good as soon as it signs. They are never fetched twice within `cooldown` for one of these
 * causes, or twice at once, so invented `kid`s make no load. If the server fails, known keys are used for `staleIfUnavailable`. After that, and for unknown keys, `find` rejects.
 */
export function remoteKeys(options: RemoteKeysOptions): VerificationKeys {
  const { server, settings, algorithms, clock = Date.now, onFault } = options;
  const get = (url: URL) => fetchJson(url, settings.fetch, settings.timeout);
  const discovered = async (issuer: string) =>
    keysIn(await get(discoveryUrl(issuer, settings.allowInsecureKeys)), issuer, settings.allowInsecureKeys);
  const fetchKeys = async (): Promise<LocalKeys> => {
    const url = typeof server === 'string' ? await discovered(server) : server;
    const keys = await get(url);
    if (isKeySet(keys)) return localKeys(keys, algorithms);
    throw new KeyServerFault(`${url.origin}${url.pathname} answered with something else than a JSON Web Key Set`);
  };
  const keys = new RemoteKeys(settings, fetchKeys, clock, onFault ?? (() => {}));
  // No fetched key could make this algorithm acceptable, so the server is not asked.
  return { find: (query) => ((algorithms as readonly string[]).includes(query.alg) ? keys.find(query) : null) };
}

class RemoteKeys implements VerificationKeys {
  readonly #settings: KeyServerSettings;
  readonly #fetchKeys: () => Promise<LocalKeys>;
  readonly #clock: Clock;
  readonly #onFault: (error: unknown) => void;
  #keys: LocalKeys | null = null;
  #fetchedAt = Number.NEGATIVE_INFINITY;
  readonly #askedAt = { age: Number.NEGATIVE_INFINITY, kid: Number.NEGATIVE_INFINITY };
  /** The error of the last request; `null` if it succeeded. */
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

  find(query: KeyQuery): FoundKeys | Promise<FoundKeys> {
    const now = this.#clock();
    const fresh = this.#ageAt(now) < this.#settings.maxAge ? this.#keys : null;
    return fresh?.find(query) ?? this.#findSlowly(query, now);
  }

  async #findSlowly(query: KeyQuery, now: number): Promise<FoundKeys> {
    const before = this.#keys;
    if (this.#ageAt(now) >= this.#settings.maxAge) await this.#renew(now);
    const found = await this.#keysAt(now).find(query);
    // An unknown name may be that of a new key. Only the server can tell that from an invented one.
    if (found !== null || this.#keys !== before) return found;
    await this.#ask(now, 'kid');
    if (this.#failure !== null) throw this.#failure;
    return this.#keysAt(now).find(query);
  }

  /** After a failure, known keys serve at once and the server is asked in the background. */
  #renew(now: number): Promise<void> {
    const asking = this.#ask(now, 'age');
    return this.#failure !== null && this.#isUsable(now) ? Promise.resolve() : asking;
  }

  /** Asks the server, unless it was asked for this cause within `cooldown`. Never rejects. */
  #ask(now: number, cause: 'age' | 'kid'): Promise<void> {
    if (this.#asking !== null) return this.#asking;
    if (distance(now, this.#askedAt[cause]) < this.#settings.cooldown) return Promise.resolve();
    this.#askedAt[cause] = now;
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

/** Absolute, so that a clock that is set back can't make keys look young. */
function distance(a: number, b: number): number {
  return Math.abs(a - b);
}
