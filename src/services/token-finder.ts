import { isUnavailable } from '../domain/errors.js';
import type { Core } from './core.js';
import type { CredentialKeys } from './credential.js';
import { KnownToken } from './token-cache.js';
import { expiryOf, isRevoked, secretEndOf } from './token-reader.js';

/** Finds tokens by their secret, with as few reads of the store as can be. */
export class TokenFinder {
  readonly #core: Core;
  readonly #loading = new Map<string, { readonly sequence: number; readonly token: Promise<KnownToken | null> }>();

  constructor(core: Core) {
    this.#core = core;
  }

  /** The token, from memory or from the store; many who ask for one at the same time share one read. */
  find(credential: CredentialKeys, now: number): Promise<KnownToken | null> {
    const { cache, settings } = this.#core;
    const known = cache.get(credential.key, now);
    if (known !== undefined) return Promise.resolve(known);
    if (cache.isUnknown(credential.key, now)) return Promise.resolve(null);
    const loading = this.#loading.get(credential.key);
    // A read that began before the last invalidation may bring what it invalidated: it is no one's but who began it.
    if (loading !== undefined && loading.sequence === cache.sequence && settings.cache.ttl > 0) return loading.token;
    const { sequence } = cache;
    const token = this.#loadOrStale(credential, now, sequence).finally(() => {
      if (this.#loading.get(credential.key)?.token === token) this.#loading.delete(credential.key);
    });
    this.#loading.set(credential.key, { sequence, token });
    return token;
  }

  /** While the store is down: what was known before, where the application chose to go on with that. */
  async #loadOrStale(credential: CredentialKeys, now: number, sequence: number): Promise<KnownToken | null> {
    try {
      return await this.#load(credential, now, sequence);
    } catch (error) {
      const stale = isUnavailable(error) ? this.#core.cache.getStale(credential.key, now) : undefined;
      if (stale === undefined) throw error;
      return stale;
    }
  }

  async #load(credential: CredentialKeys, now: number, sequence: number): Promise<KnownToken | null> {
    const { cache, digester, reader, settings, store } = this.#core;
    const found = await store.findTokenByDigest(digester.candidates(credential.secret));
    if (found === null) {
      if (settings.cache.ttl > 0) cache.setUnknown(credential.key, now, sequence);
      return null;
    }
    const { token, secret } = found;
    const known = new KnownToken(
      reader.principal(token),
      isRevoked(token),
      secretEndOf(token, secret),
      expiryOf(token),
      reader.limits(token),
      now,
      sequence,
    );
    if (settings.cache.ttl > 0) cache.set(credential.key, known);
    return known;
  }
}
